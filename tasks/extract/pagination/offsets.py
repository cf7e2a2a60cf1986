"""Pages by the place of their first record."""

from collections.abc import Mapping
from typing import Any

import msgspec

from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.guessing import Guesses
from tasks.extract.pagination.places import send
from tasks.extract.pagination.totals import Flags, Totals
from tasks.pipeline.paging import Offset


class OffsetPages:
    """Pages that each begin after the records received so far.

    Others are asked for ahead on the assumption that all pages are as long as the first one. When one is
    shorter, those are void, and the next begins where the short one ended: no record is ever stepped over.
    """

    def __init__(self, resource: str, declared: Offset, start: PageRequest) -> None:
        self._declared = declared
        size = {declared.size_param: declared.page_size} if declared.size_param else {}
        self._start = send(start, declared.send_in, size)
        self._totals = Totals(resource, None, declared.total_records)
        self._flags = Flags(declared.has_more, declared.is_last)
        self.reads = {**self._totals.reads, **self._flags.reads}
        self._guesses = Guesses(declared)
        self._step = declared.page_size
        self._requested = 0
        self._taken = 0
        self._received = 0
        self._asked = 0
        """Records that have come or are expected from the pages under way."""
        self._has_ended = False
        self._is_void = False

    @property
    def total_pages(self) -> int | None:
        """How many pages there will be, if all are as long as the first."""
        if self._has_ended:
            return self._taken
        return None if self._totals.records is None else -(-self._totals.records // self._step)

    def next_request(self) -> PageRequest | None:
        """The request for the records after those received or under way."""
        if self._has_ended or not self._may_ask():
            return None
        under_way = self._requested - self._taken
        self._requested += 1
        offset = self._declared.first + self._asked
        self._asked += self._step
        is_open = self._totals.records is None and self._taken > 0
        request = msgspec.structs.replace(
            self._start,
            number=self._requested,
            accepts=(*self._start.accepts, *(self._declared.past_end if is_open else ())),
            is_guess=under_way > 0 and is_open,
        )
        return send(request, self._declared.send_in, {self._declared.param: offset})

    def _may_ask(self) -> bool:
        under_way = self._requested - self._taken
        if under_way and not self._declared.ask_ahead:
            return False
        if self._taken and self._totals.records is not None:
            return self._asked < self._totals.records
        return under_way < self._guesses.allowed

    def take(self, answer: Answer) -> None:
        """Learn how many records came, and whether there are others.

        Raises:
            PagesShiftedError: This page announces another total than the first one did.
        """
        self._taken += 1
        if answer.is_missing:
            self._end()
            return
        self._totals.take(answer)
        count = answer.count()
        self._received += count
        if self._taken == 1 and count:
            self._step = count
            self._asked = count
        if not self._follows(answer, count):
            self._end()
        elif count != self._step:
            self._void()

    def _follows(self, answer: Answer, count: int) -> bool:
        if self._totals.records is not None:
            return count > 0 and self._received < self._totals.records
        flag = self._flags.read(answer.facts)
        is_end = self._guesses.is_end(count)
        self._guesses.take(count)
        # A flag that promises more on an empty page leads nowhere: the next offset would be the same.
        return count > 0 and not is_end if flag is None else flag and count > 0

    def _end(self) -> None:
        self._has_ended = True
        self._void()

    def _void(self) -> None:
        """Go on after the last record received."""
        self._is_void = self._requested > self._taken
        self._requested = self._taken
        self._asked = self._received

    def withdraw(self) -> bool:
        """Whether pages were asked for that begin in the wrong place, or do not exist."""
        is_void, self._is_void = self._is_void, False
        return is_void

    def finish(self, received: int) -> None:
        """Compare with the announced number of records, if one is declared.

        Raises:
            PagesShiftedError: The sum is another.
        """
        self._totals.finish(received, self._taken)

    def state(self) -> Mapping[str, Any]:
        """Where the next page begins."""
        return {"offset": self._declared.first + self._received, "total_records": self._totals.records}
