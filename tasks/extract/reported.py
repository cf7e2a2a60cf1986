"""An error that the API reports in the body of a success."""

from typing import Any

import msgspec
from msgspec import Raw

from tasks.extract.reading import BodyReader, Fact
from tasks.pipeline import BodyError

_EXCERPT_CHARS = 300


class ReportedError(Exception):
    """The body says that the request failed.

    Attributes:
        is_retriable: Whether the declaration counts this reason among those that pass.
    """

    def __init__(self, reason: str, *, is_retriable: bool) -> None:
        super().__init__(reason)
        self.is_retriable = is_retriable


class ErrorFinder:
    """Looks for the declared error in a body, in one pass that skips the rest."""

    def __init__(self, declared: BodyError) -> None:
        self._declared = declared
        paths = {"error": declared.path, "message": declared.message or declared.path}
        self._reader = BodyReader({name: Fact(path, Raw, required=False) for name, path in paths.items()})

    def raise_reported(self, body: bytes) -> None:
        """Raise what the body reports.

        Raises:
            ReportedError: It reports an error.
        """
        try:
            found = self._reader.read(body)
        except (msgspec.MsgspecError, RecursionError):
            return  # whatever it is, it is not the declared error
        error = _plain(found["error"])
        if not error or any(error == fine and type(error) is type(fine) for fine in self._declared.fine):
            return
        said = _plain(found["message"])
        reason = said if isinstance(said, str) else msgspec.json.encode(said or error).decode()
        passes = any(word.lower() in reason.lower() for word in self._declared.retriable)
        raise ReportedError(ascii(reason)[1:-1][:_EXCERPT_CHARS], is_retriable=passes)


def _plain(value: Raw) -> Any:
    return msgspec.json.decode(value)
