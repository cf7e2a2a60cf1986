"""The checks that every contestant makes, as data: each translates them into its own terms."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "row_count",
    "columns",
    "not_null",
    "between",
    "in_set",
    "not_in_set",
    "regex",
    "length",
    "greater",
    "unique",
    "mean",
    "deviation",
    "max",
    "distinct_count",
]


@dataclass(frozen=True)
class Check:
    """One check: on a column (`greater` has a second one), with arguments named as GX names them."""

    kind: Kind
    column: str = ""
    args: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.kind} {self.column}".strip()


COLUMNS = (
    "id", "key", "year", "month", "day", "dep_delay", "arr_delay", "carrier", "flight", "tailnum", "origin",
    "dest", "air_time", "distance", "hour", "time_hour",
)  # fmt: skip
CARRIERS = ["9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV"]


def _between(column: str, low: Any, high: Any) -> Check:
    return Check("between", column, {"min_value": low, "max_value": high})


_ON_NUMBERS_AND_TEXT = (
    Check("row_count", args={"min_value": 1, "max_value": 10**9}),
    Check("columns", args={"column_set": list(COLUMNS)}),
    *(Check("not_null", column) for column in ("id", "key", "carrier", "flight", "origin")),
    _between("month", 1, 12),
    _between("day", 1, 31),
    _between("distance", 0, 6000),
    _between("dep_delay", -60, 1000),  # 5 of 336,776 flights are later: the one check that fails
    _between("air_time", 10, 800),
    Check("in_set", "origin", {"value_set": ["EWR", "JFK", "LGA"]}),
    Check("in_set", "carrier", {"value_set": CARRIERS}),
    Check("not_in_set", "dest", {"value_set": ["XXX", "YYY"]}),
    Check("regex", "tailnum", {"regex": "^[A-Z0-9]{3,6}$"}),
    Check("length", "dest", {"value": 3}),
    Check("greater", "distance", {"column_B": "hour"}),
    Check("unique", "id"),
    Check("unique", "key"),
    Check("mean", "dep_delay", {"min_value": 0, "max_value": 30}),
    Check("deviation", "distance", {"min_value": 100, "max_value": 2000}),
    Check("max", "arr_delay", {"min_value": 0, "max_value": 3000}),
    Check("distinct_count", "carrier", {"min_value": 5, "max_value": 30}),
)
_ON_TIMESTAMPS = (
    Check("not_null", "time_hour"),
    _between("time_hour", dt.datetime(2013, 1, 1), dt.datetime(2014, 1, 2)),  # noqa: DTZ001  the column has no zone
)

SUITES: dict[str, tuple[Check, ...]] = {
    "with-timestamps": _ON_NUMBERS_AND_TEXT + _ON_TIMESTAMPS,
    "without-timestamps": _ON_NUMBERS_AND_TEXT,
}

# What a contestant answers: for each check whether it passed.
Verdicts = dict[str, bool]
