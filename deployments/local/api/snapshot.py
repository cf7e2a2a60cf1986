"""One resource at one moment: immutable, so that a reader never sees half a correction."""

import bisect
import datetime as dt
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Page:
    """The records of one page, already JSON, and what the envelope says about the whole."""

    records: list[bytes]
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The records of a resource and the order in which they are served.

    Attributes:
        records: Each record as JSON; the record with `id` n is at n - 1.
        ids: The ids in order of (`updated_at`, `id`).
        updated_us: Parallel to `ids`: `updated_at` in microseconds since 1970.
    """

    records: tuple[bytes, ...]
    ids: "array[int]"
    updated_us: "array[int]"

    def read_page(self, page: int, per_page: int, since_us: int | None, clock_us: int | None) -> Page:
        """Records updated strictly after `since_us` and not later than `clock_us`."""
        first = 0 if since_us is None else bisect.bisect_right(self.updated_us, since_us)
        last = self.count_known(clock_us)
        total = max(0, last - first)
        start = min(first + (page - 1) * per_page, last)
        stop = min(start + per_page, last)
        records = [self.records[record_id - 1] for record_id in self.ids[start:stop]]
        return Page(records, page, pages=-(-total // per_page), total=total)

    def count_known(self, clock_us: int | None) -> int:
        """How many records are known by the clock; they are the first of the order."""
        return len(self.ids) if clock_us is None else bisect.bisect_right(self.updated_us, clock_us)

    def find_unknown(self, ids: set[int], clock_us: int | None) -> list[int]:
        """Those of `ids` that no record has, or no record known by the clock."""
        return sorted(ids.difference(self.ids[: self.count_known(clock_us)]))

    def correct(self, changes: Mapping[int, Mapping[str, Any]], updated_us: int) -> "Snapshot":
        """The resource with `changes` (by id) applied, all updated at `updated_us`."""
        records = list(self.records)
        stamp = {"updated_at": format_us(updated_us)}
        for record_id, change in changes.items():
            record = msgspec.json.decode(records[record_id - 1])
            records[record_id - 1] = msgspec.json.encode({**record, **change, **stamp})
        kept = [place for place in zip(self.updated_us, self.ids, strict=True) if place[1] not in changes]
        moved = [(updated_us, record_id) for record_id in sorted(changes)]
        # Not simply at the end: records that are not known by the clock yet are later.
        at = bisect.bisect_left(kept, moved[0])
        kept[at:at] = moved
        return Snapshot(
            records=tuple(records),
            ids=array("q", [record_id for _, record_id in kept]),
            updated_us=array("q", [moment_us for moment_us, _ in kept]),
        )

    def columns(self) -> frozenset[str]:
        """The names of a record's members."""
        return frozenset(msgspec.json.decode(self.records[0]))


def parse_us(text: str) -> int:
    """Microseconds since 1970 of an ISO-8601 moment.

    Raises:
        ValueError: If it is not one, or has no offset from UTC.
    """
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC: add 'Z'")
    return (moment - _EPOCH) // _MICROSECOND


def format_us(moment_us: int) -> str:
    """ISO-8601 in UTC with a `Z`; microseconds where there are any."""
    moment = _EPOCH + moment_us * _MICROSECOND
    return moment.isoformat().replace("+00:00", "Z")
