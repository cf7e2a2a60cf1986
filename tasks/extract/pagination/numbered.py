"""Pages counted by a number."""

from collections.abc import Mapping
from typing import Any

import msgspec

from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.guessing import Guesses
from tasks.extract.pagination.places import send
from tasks.extract.pagination.totals import Flags, Totals
from tasks.pipeline.paging import PageNumber


class NumberedPages:
    """Pages 1 … n, where page 1 may say what n is; otherwise an empty or short page or a flag ends them."""

    def __init__(self, resource: str, declared: PageNumber, start: PageRequest) -> None:
        self._declared = declared
        size = {declared.size_param: declared.page_size} if declared.size_param else {}
        self._start = send(start, declared.send_in, size)
        self._totals = Totals(resource, declared.total_pages, declared.total_records)
        self._flags = Flags(declared.has_more, declared.is_last)
        self.reads = {**self._totals.reads, **self._flags.reads}
        self.total_pages: int | None = None
        self._guesses = Guesses(declared)
        self._requested = 0
        self._taken = 0
        self._is_void = False

    def next_request(self) -> PageRequest | None:
        """The next page's request, None after the last one known or guessed."""
        is_open = self.total_pages is None
        if self._requested >= (self._taken + self._guesses.allowed if is_open else self.total_pages or 0):
            return None
        self._requested += 1
        page = self._declared.first + self._requested - 1
        is_open = is_open and self._requested > 1
        request = msgspec.structs.replace(
            self._start,
            number=self._requested,
            accepts=(*self._start.accepts, *(self._declared.past_end if is_open else ())),
            is_guess=self._requested > self._taken + 1 and is_open,
        )
        return send(request, self._declared.send_in, {self._declared.param: page})

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
        if self.total_pages is None:
            self._learn(answer)

    def _learn(self, answer: Answer) -> None:
        if self._totals.pages is not None:
            self.total_pages = self._totals.pages
            return
        count = answer.count()
        if self._totals.records is not None:
            # The API's own size, where it gives fewer than asked for.
            size = count or self._declared.page_size
            self.total_pages = -(-self._totals.records // size)
            return
        follows = self._flags.read(answer.facts)
        if follows is None:
            follows = not self._guesses.is_end(count)
        self._guesses.take(count)
        if not follows:
            self._end()

    def _end(self) -> None:
        self.total_pages = self._taken
        self._is_void = self._requested > self._taken
        self._requested = self._taken

    def withdraw(self) -> bool:
        """Whether pages were asked for that do not exist."""
        is_void, self._is_void = self._is_void, False
        return is_void

    def finish(self, received: int) -> None:
        """Compare with the announced number of records, if one is declared.

        Raises:
            PagesShiftedError: The sum is another.
        """
        self._totals.finish(received, self._taken)

    def state(self) -> Mapping[str, Any]:
        """The last page taken, and how many there are if that is known."""
        return {"page": self._declared.first + self._taken - 1, "total_pages": self.total_pages}
