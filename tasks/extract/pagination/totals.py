"""What a source announces about itself, held against what comes."""

from collections.abc import Mapping
from typing import Any

from tasks.errors import FatalError
from tasks.extract.pages import EMPTY, Answer
from tasks.extract.pagination.places import Total, facts_of
from tasks.extract.pagination.protocol import PagesShiftedError, Reads
from tasks.pipeline.paging import Place

_EXCERPT_BYTES = 200
_FALSE = ("", "0", "false", "no", "n", "f", "off", "null", "none")


class Totals:
    """The totals that page 1 announces, that no other page may contradict, and that must come true."""

    def __init__(self, resource: str, pages: Place | None, records: Place | None) -> None:
        self.reads: Reads = facts_of(Total, total_pages=pages, total_records=records)
        self._resource = resource
        self._places = {"total_pages": pages, "total_records": records}
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
            FatalError: The first page announces none.
        """
        announced = {
            name: _read_total(answer.facts[name]) for name in self.reads if answer.facts[name] is not None
        }
        if self._announced is None:
            self._announced = announced if answer.page.status not in EMPTY else dict.fromkeys(self.reads, 0)
            self._refuse_silence(answer)
        # Some APIs count on page 1 only. Where no sum will be checked, a page must give a sign of life.
        elif self.reads and not announced and self.records is None and not answer.count():
            raise PagesShiftedError(
                f"{self._resource}: page {answer.page.number} at {answer.page.url} holds no record and does "
                f"not repeat what page 1 announced, {_in_words(self._announced)}. A new run starts afresh."
            )
        if any(self._announced[name] != total for name, total in announced.items()):
            raise PagesShiftedError(
                f"{self._resource}: pages shifted during the run: page 1 announced "
                f"{_in_words(self._announced)}, page {answer.page.number} {_in_words(announced)}. "
                f"A new run starts afresh."
            )

    def _refuse_silence(self, answer: Answer) -> None:
        for name in self.reads:
            if name not in (self._announced or {}):
                shown = answer.page.body[:_EXCERPT_BYTES].decode("utf-8", "replace")
                raise FatalError(
                    f"{self._resource}: page 1 at {answer.page.url} does not say what {name} is: nothing at "
                    f"{self._places[name]!r}. Correct {name} in the paginator, or leave it out. "
                    f"It begins with {shown!a}"
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
    return value.strip().lower() not in _FALSE if isinstance(value, str) else bool(value)


def _read_total(value: float | str) -> int:
    return int(value.rpartition("/")[2] if isinstance(value, str) else value)


def _in_words(facts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
