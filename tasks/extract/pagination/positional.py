"""Pages that are asked for by where they are: what those by number and those by offset have in common."""

from abc import ABC, abstractmethod

import msgspec

from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.guessing import Guesses
from tasks.extract.pagination.places import send
from tasks.extract.pagination.protocol import Reads
from tasks.extract.pagination.totals import Flags, Totals
from tasks.pipeline.paging import Offset, PageNumber, Place


class PositionalPages(ABC):
    """Pages of which several may be under way, asked for ahead of what is known where no total is."""

    _declared: PageNumber | Offset

    def __init__(
        self, resource: str, declared: PageNumber | Offset, start: PageRequest, *, pages: Place | None
    ) -> None:
        size = {declared.size_param: declared.page_size} if declared.size_param else {}
        self._declared = declared
        self._start = send(start, declared.send_in, size)
        self._totals = Totals(resource, pages, declared.total_records)
        self._flags = Flags(declared.has_more, declared.is_last)
        self.reads: Reads = {**self._totals.reads, **self._flags.reads}
        self._guesses = Guesses(declared)
        self._requested = 0
        self._taken = 0
        self._is_void = False

    @property
    @abstractmethod
    def total_pages(self) -> int | None:
        """How many pages there are, once it is known."""

    @abstractmethod
    def _may_ask(self) -> bool:
        """Whether another page is known or may be guessed."""

    @abstractmethod
    def _next_place(self) -> int:
        """Where the page begins that is asked for now."""

    @abstractmethod
    def _learn(self, answer: Answer) -> None:
        """Learn from a page that is there."""

    @abstractmethod
    def _end(self) -> None:
        """Know that the last page taken was the last one."""

    def next_request(self) -> PageRequest | None:
        """The next page's request, None after the last one known or guessed."""
        if not self._may_ask():
            return None
        self._requested += 1
        is_open = self._taken > 0 and self.total_pages is None
        request = msgspec.structs.replace(
            self._start,
            number=self._requested,
            accepts=(*self._start.accepts, *(self._declared.past_end if is_open else ())),
            is_guess=is_open and self._requested > self._taken + 1,
        )
        return send(request, self._declared.send_in, {self._declared.param: self._next_place()})

    def take(self, answer: Answer) -> None:
        """Learn how many pages there are, or whether this was the last.

        Raises:
            PagesShiftedError: This page announces other numbers than the first one did.
        """
        self._taken += 1
        if answer.is_missing:
            self._end()
            return
        self._totals.take(answer)
        self._learn(answer)

    def _go_back(self) -> None:
        """Give up what is under way."""
        self._is_void = self._requested > self._taken
        self._requested = self._taken

    def withdraw(self) -> bool:
        """Whether pages were asked for that do not exist, or begin in the wrong place."""
        is_void, self._is_void = self._is_void, False
        return is_void

    def finish(self, received: int) -> None:
        """Compare with the announced number of records, if one is declared.

        Raises:
            PagesShiftedError: The sum is another.
        """
        self._totals.finish(received, self._taken)
