"""A landing that is only read: the extraction of an earlier load, once more and without the API."""

from collections.abc import Iterator
from typing import Self

from tasks.errors import ConfigurationError, FatalError
from tasks.extract.landing.folders import Folder
from tasks.extract.landing.landed import FirstRequest, Landed
from tasks.extract.landing.segments import Damaged
from tasks.extract.pages import Page


class Replay:
    """Stands in for a `Landing`. Nothing is asked for, written or deleted; what is missing is an error."""

    is_complete = True

    def __init__(self, folder: Folder, resource: str) -> None:
        """Look whether all of it is there.

        Raises:
            ConfigurationError: It is not: never landed, interrupted, or pruned.
        """
        self._where = folder.where
        self._landed = Landed(folder)
        if self._landed.completion is None:
            lacks = "no pages" if self._landed.request is None else "only a part of the pages"
            raise ConfigurationError(
                f"{resource}: {self._where} holds {lacks} of this resource, so the load cannot be replayed. "
                "It was interrupted, pruned, landed elsewhere (ASSAY_LANDING_URL), or is older than the "
                "resource's declaration."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to do."""

    def begin(self, request: FirstRequest) -> FirstRequest:
        """The request that was made then, whatever would be asked today."""
        return self._landed.request or request

    def read_pages(self) -> Iterator[Page]:
        """The landed pages in order.

        Raises:
            FatalError: One is missing or damaged.
        """
        try:
            yield from self._landed.read_pages()
        except Damaged as exc:
            raise FatalError(f"{self._where}: {exc}. The load cannot be replayed.") from exc

    def add(self, page: Page) -> None:
        """Nothing to do: it was read from here."""

    def flush_if_old(self) -> None:
        """Nothing to do."""

    def complete(self, *, records: int, size: int) -> None:
        """Nothing to do: it is."""

    def wait(self) -> None:
        """Nothing to do."""

    def discard_partial(self) -> None:
        """Nothing to do: what is whole is kept."""
