"""What a source announces about itself, held against what comes."""

from collections.abc import Mapping
from typing import Any

from tasks.extract.pages import Answer
from tasks.extract.pagination.places import CountOrText, facts_of
from tasks.extract.pagination.protocol import PagesShiftedError, Reads
from tasks.pipeline.paging import Place


class Totals:
    """The totals that page 1 announces, that every other page must repeat, and that must come true."""

    def __init__(self, resource: str, pages: Place | None, records: Place | None) -> None:
        self.reads: Reads = facts_of(CountOrText, required=True, total_pages=pages, total_records=records)
        self._resource = resource
        self._announced: dict[str, int] | None = None

    @property
    def pages(self) -> int | None:
        """The number of pages, once it is announced."""
        return (self._announced or {}).get("total_pages")

    @property
    def records(self) -> int | None:
        """The number of records, once it is announced."""
        return (self._announced or {}).get("total_records")

    def take(self, answer: Answer) -> None:
        """Learn from the first answer, and hold the others to it.

        Raises:
            PagesShiftedError: This page announces other numbers than the first one did.
        """
        announced = {name: int(answer.facts[name]) for name in self.reads}
        if self._announced is None:
            self._announced = announced
        if announced != self._announced:
            raise PagesShiftedError(
                f"{self._resource}: pages shifted during the run: page 1 announced "
                f"{_in_words(self._announced)}, page {answer.page.number} {_in_words(announced)}. "
                f"A new run starts afresh."
            )

    def finish(self, received: int, pages: int) -> None:
        """Compare with the announced number of records, if one is declared.

        Raises:
            PagesShiftedError: The sum is another.
        """
        announced = received if self.records is None else self.records
        if received != announced:
            raise PagesShiftedError(
                f"{self._resource}: pages shifted during the run: announced {announced}, received {received} "
                f"records on {pages} pages. A new run starts afresh."
            )


class Flags:
    """Whether others follow, where pages say so."""

    def __init__(self, has_more: Place | None, is_last: Place | None) -> None:
        self.reads: Reads = facts_of(bool | int | str | None, has_more=has_more, is_last=is_last)

    def read(self, facts: Mapping[str, Any]) -> bool | None:
        """True or False as the page says, None when it says nothing."""
        if "has_more" in self.reads and facts["has_more"] is not None:
            return _is_true(facts["has_more"])
        if "is_last" in self.reads and facts["is_last"] is not None:
            return not _is_true(facts["is_last"])
        return None


def _is_true(value: bool | int | str) -> bool:
    """Headers and some bodies hold truth values as text."""
    return value.strip().lower() not in ("", "0", "false", "no") if isinstance(value, str) else bool(value)


def _in_words(facts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
