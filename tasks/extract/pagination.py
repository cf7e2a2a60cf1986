"""Paginators: which pages there are to ask for, learned from the pages that came."""

from collections.abc import Mapping
from typing import Protocol

from tasks.errors import RetriableError
from tasks.extract.pages import Answer, PageRequest
from tasks.pipeline import Resource


class PagesShiftedError(RetriableError):
    """The source changed under the extraction: what was landed is no whole any more, start afresh."""


class Paginator(Protocol):
    """Knows which pages to ask for next.

    It is fed with all answers in order, those read back from the landing zone too, so that it is always
    where an uninterrupted extraction would be. Requests that it knows at one time are fetched concurrently:
    a numbered source knows all after the first page, a source with cursors only ever one.
    """

    reads: dict[str, str]
    """The numbers it needs out of each body: name → dotted path."""
    params: dict[str, str]
    """The query parameters that all of its requests have in common."""
    total_pages: int | None
    """How many pages there are, once it is known."""

    def next_request(self) -> PageRequest | None:
        """The next request known by now, None when there is none before another answer came."""

    def take(self, answer: Answer) -> None:
        """Learn from the next answer."""

    def finish(self, received: int) -> None:
        """Check at the end that the records received are those announced."""


class NumberedPages:
    """Pages 1 … n, where page 1 says what n is and every other page must say the same."""

    def __init__(self, resource: Resource, params: Mapping[str, str]) -> None:
        declared = resource.paginator
        self._resource = resource.name
        self._declared = declared
        self.params: dict[str, str] = dict(params)
        if declared.size_param:
            self.params[declared.size_param] = str(declared.page_size)
        self.reads: dict[str, str] = {"total_pages": declared.total_pages}
        if declared.total_records:
            self.reads["total_records"] = declared.total_records
        self.total_pages: int | None = None
        self._requested = 0
        self._announced: dict[str, int] | None = None

    def next_request(self) -> PageRequest | None:
        """The next page's request, None after the last one known."""
        if self._requested >= (1 if self.total_pages is None else self.total_pages):
            return None
        self._requested += 1
        page = self._declared.first + self._requested - 1
        return PageRequest(self._requested, {**self.params, self._declared.param: str(page)})

    def take(self, answer: Answer) -> None:
        """Learn the number of pages from the first answer, and hold the others to it.

        Raises:
            PagesShiftedError: This page announces other numbers than the first one did.
        """
        if self._announced is None:
            self._announced = answer.facts
            self.total_pages = answer.facts["total_pages"]
        if answer.facts != self._announced:
            raise PagesShiftedError(
                f"{self._resource}: pages shifted during the run: page 1 announced "
                f"{_in_words(self._announced)}, page {answer.page.number} {_in_words(answer.facts)}. "
                f"A new run starts afresh."
            )

    def finish(self, received: int) -> None:
        """Compare with the announced number of records, if one is declared.

        Raises:
            PagesShiftedError: The sum is another.
        """
        announced = (self._announced or {}).get("total_records", received)
        if received != announced:
            raise PagesShiftedError(
                f"{self._resource}: pages shifted during the run: announced {announced}, received {received} "
                f"records on {self.total_pages} pages. A new run starts afresh."
            )


def paginate(resource: Resource, params: Mapping[str, str]) -> Paginator:
    """The paginator of a resource; `params` are the query parameters of all its requests."""
    return NumberedPages(resource, params)


def _in_words(facts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
