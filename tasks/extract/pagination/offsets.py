"""Pages by the place of their first record."""

from collections.abc import Mapping
from typing import Any

from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.positional import PositionalPages
from tasks.pipeline.paging import Offset


class OffsetPages(PositionalPages):
    """Pages that each begin after the records received so far.

    Others are asked for ahead on the assumption that all pages are as long as the first one. When one is
    shorter, those are void, and the next begins where the short one ended: no record is ever stepped over.
    """

    _declared: Offset

    def __init__(self, resource: str, declared: Offset, start: PageRequest) -> None:
        super().__init__(resource, declared, start, pages=None)
        self._step = declared.page_size
        self._received = 0
        self._asked = 0
        """Records that have come or are expected from the pages under way."""
        self._has_ended = False

    @property
    def total_pages(self) -> int | None:
        """How many pages there will be, if all are as long as the first."""
        if self._has_ended:
            return self._taken
        return None if self._totals.records is None else -(-self._totals.records // self._step)

    def _may_ask(self) -> bool:
        under_way = self._requested - self._taken
        if self._has_ended or (under_way and not self._declared.ask_ahead):
            return False
        if self._taken and self._totals.records is not None:
            return self._asked < self._totals.records
        return under_way < self._guesses.allowed

    def _next_place(self) -> int:
        begins_at = self._asked
        self._asked += self._step
        return self._declared.first + begins_at

    def _learn(self, answer: Answer) -> None:
        count = answer.count()
        self._received += count
        if self._taken == 1 and count:
            self._step = count
            self._asked = count
        if not self._follows(answer, count):
            self._end()
        elif count != self._step:
            self._go_back()

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
        self._go_back()

    def _go_back(self) -> None:
        """Go on after the last record received."""
        super()._go_back()
        self._asked = self._received

    def state(self) -> Mapping[str, Any]:
        """Where the next page begins."""
        return {"offset": self._declared.first + self._received, "total_records": self._totals.records}
