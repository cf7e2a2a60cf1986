"""Pages counted by a number."""

from collections.abc import Mapping
from typing import Any

from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.positional import PositionalPages
from tasks.pipeline.paging import PageNumber


class NumberedPages(PositionalPages):
    """Pages 1 … n, where page 1 may say what n is; otherwise an empty or short page or a flag ends them."""

    _declared: PageNumber
    total_pages: int | None = None

    def __init__(self, resource: str, declared: PageNumber, start: PageRequest) -> None:
        super().__init__(resource, declared, start, pages=declared.total_pages)

    def _may_ask(self) -> bool:
        known = self._taken + self._guesses.allowed if self.total_pages is None else self.total_pages
        return self._requested < known

    def _next_place(self) -> int:
        return self._declared.first + self._requested - 1

    def _learn(self, answer: Answer) -> None:
        if self.total_pages is not None:
            return
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
        self._go_back()

    def state(self) -> Mapping[str, Any]:
        """The last page taken, and how many there are if that is known."""
        return {"page": self._declared.first + self._taken - 1, "total_pages": self.total_pages}
