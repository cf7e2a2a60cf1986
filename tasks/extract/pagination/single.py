"""All records in one answer."""

from collections.abc import Mapping
from typing import Any

import msgspec

from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.totals import Totals
from tasks.pipeline.paging import SinglePage


class OnePage:
    """One request, and no other."""

    def __init__(self, resource: str, declared: SinglePage, start: PageRequest) -> None:
        self._totals = Totals(resource, None, declared.total_records)
        self.reads = self._totals.reads
        self.total_pages: int | None = 1
        self._start: PageRequest | None = msgspec.structs.replace(start, number=1)

    def next_request(self) -> PageRequest | None:
        """The one request, once."""
        request, self._start = self._start, None
        return request

    def take(self, answer: Answer) -> None:
        """Note what is announced."""
        if not answer.is_missing:
            self._totals.take(answer)

    def withdraw(self) -> bool:
        """Nothing is asked for before it is known."""
        return False

    def finish(self, received: int) -> None:
        """Compare with the announced number of records, if one is declared.

        Raises:
            PagesShiftedError: The sum is another: there are others, or they came twice.
        """
        self._totals.finish(received, 1)

    def state(self) -> Mapping[str, Any]:
        """Nothing."""
        return {}
