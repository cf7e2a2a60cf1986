"""Questions that pandas understands only when they are put otherwise.

A difference is explained if pandas, asked again, answers as the engine did: the answer is checked, not waved
through. Each restatement keeps the meaning of the question, so several together do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import pandas as pd  # type: ignore[import-untyped]  # ships no types
import polars as pl

from expectations.engine.literals import is_text, show
from tests.unit.expectations.engine.difference import Asked, Difference
from tests.unit.expectations.engine.oracle import as_pandas, differences, raised, validate_on_pandas
from tests.unit.expectations.engine.restated_values import map_values, read_as_column, read_as_pandas


@dataclass(frozen=True)
class Restated(Asked):
    """A question in other words.

    Attributes:
        picked: the rows that pandas gets; None for all.
        has_zones: False where the answer may have moments without their zone.
    """

    picked: pl.Series | None = None
    has_zones: bool = True

    def answers(self, ours: Any, result_format: Any) -> bool:
        """Whether pandas, asked this, answers as the engine did."""
        rows = as_pandas(self.frame, self.expectation)
        if self.picked is not None:
            rows = rows[self.picked.to_numpy()]
        theirs = validate_on_pandas(rows, self.expectation, result_format)
        if not differences(ours, theirs):
            return True
        return not self.has_zones and not differences(_without_zones(ours), _without_zones(theirs))


def explain_by_restating(it: Difference, result_format: Any) -> str | None:
    """The names of the restatements under which pandas answers as the engine did, as few as need be.

    Where the engine raised there is no answer: pandas may raise for having been asked in other words.
    """
    if raised(it.ours):
        return None
    for names, asked in _restated(it):
        if asked.answers(it.ours, result_format):
            return " + ".join(names)
    return None


def _restated(it: Difference) -> Iterator[tuple[tuple[str, ...], Restated]]:
    """The question in one other way, then in two at once, and so on."""
    for count in range(1, len(RESTATEMENTS) + 1):
        for names in combinations(RESTATEMENTS, count):
            asked: Restated | None = Restated(it.frame, it.expectation)
            for name in names:
                asked = asked and RESTATEMENTS[name](asked)
            if asked is not None:
                yield names, asked


# ---- values as the temporal types that pandas compares


def _with_temporal_types(asked: Restated) -> Restated | None:
    if not any(dtype.is_temporal() for dtype in asked.dtypes()):
        return None
    changed = map_values(asked, read_as_pandas)
    return replace(asked, expectation=changed) if changed else None


# ---- durations and times of day, of which GX can write no set and pandas has no type


def _with_times_as_durations(asked: Restated) -> Restated | None:
    times = [name for name, dtype in zip(asked.targets, asked.dtypes(), strict=True) if dtype == pl.Time]
    if not times:
        return None
    changed = map_values(asked, _time_as_duration)
    frame = asked.frame.with_columns(pl.col(times).cast(pl.Duration("us")))
    return replace(asked, frame=frame, expectation=changed or asked.expectation)


def _time_as_duration(value: Any, dtype: pl.DataType) -> Any:
    literal = read_as_column(value, dtype)
    return pd.Timedelta(literal.isoformat()) if isinstance(literal, dt.time) else value


def _with_durations_as_text(asked: Restated) -> Restated | None:
    """A set of durations as they are written, column and set alike."""
    values = asked.kwargs.get("value_set")
    if values is None or not any(isinstance(dtype, pl.Duration) for dtype in asked.dtypes()):
        return None
    [name], [dtype] = asked.targets, asked.dtypes()
    written = [show(read_as_column(value, dtype)) for value in values]
    column = pl.Series(name, [show(value) for value in asked.frame[name]], dtype=pl.String)
    changed = asked.expectation.copy(update={"value_set": written})
    return replace(asked, frame=asked.frame.with_columns(column), expectation=changed)


# ---- ends that are open, which pandas measures as infinities


def _with_far_ends(asked: Restated) -> Restated | None:
    """An end beyond all values for an open end of a range of quantiles."""
    if not asked.is_about("quantile"):
        return None
    [ends] = map(_far_ends, asked.dtypes())
    wanted = dict(asked.kwargs["quantile_ranges"])
    closed = [
        [end if bound is None else bound for bound, end in zip(pair, ends, strict=True)]
        for pair in wanted["value_ranges"]
    ]
    if closed == wanted["value_ranges"]:
        return None
    changed = asked.expectation.copy(update={"quantile_ranges": wanted | {"value_ranges": closed}})
    return replace(asked, expectation=changed)


def _far_ends(dtype: pl.DataType) -> tuple[Any, Any]:
    if is_text(dtype):
        return "", chr(0x10FFFF) * 100
    if isinstance(dtype, pl.Duration):
        return pd.Timedelta.min, pd.Timedelta.max
    if isinstance(dtype, (pl.Date, pl.Datetime)):
        zone = "UTC" if isinstance(dtype, pl.Datetime) and dtype.time_zone else None
        return pd.Timestamp.min.tz_localize(zone), pd.Timestamp.max.tz_localize(zone)
    return None, None


# ---- moments in nanoseconds, and in zones, of which pandas loses the zone or an hour


def _with_microseconds(asked: Restated) -> Restated | None:
    """Moments in nanoseconds are integers in some results of pandas."""
    fine = [
        name for name, dtype in zip(asked.targets, asked.dtypes(), strict=True) if dtype == pl.Datetime("ns")
    ]
    if not fine or any((asked.frame[name].dt.nanosecond() % 1000 != 0).any() for name in fine):
        return None
    return replace(asked, frame=asked.frame.with_columns(pl.col(fine).cast(pl.Datetime("us"))))


def _with_one_zone(asked: Restated) -> Restated | None:
    zoned = [name for name, dtype in zip(asked.targets, asked.dtypes(), strict=True) if _has_zone(dtype)]
    if not zoned:
        return None
    columns = pl.col(zoned).dt.convert_time_zone("UTC")
    if not asked.is_about("most_common"):
        return replace(asked, frame=asked.frame.with_columns(columns), has_zones=False)
    # The most common value has lost its zone on pandas, so that it is in no set of moments that have one.
    changed = map_values(asked, _without_zone) or asked.expectation
    frame = asked.frame.with_columns(columns.dt.replace_time_zone(None))
    return replace(asked, frame=frame, expectation=changed, has_zones=False)


def _has_zone(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.Datetime) and dtype.time_zone is not None


def _without_zone(value: Any, dtype: pl.DataType) -> Any:
    """A moment of a set in UTC, without its zone."""
    return _in_utc(read_as_pandas(value, dtype))


def _without_zones(result: Any) -> Any:
    """The result with moments in UTC; another moment is another moment still."""
    changed = copy(result)
    changed.result = _in_utc(result.result)
    return changed


def _in_utc(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_utc(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_in_utc(entry) for entry in value]
    if isinstance(value, pd.DataFrame):
        return _in_utc(value.to_dict("records"))
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return pd.Timestamp(value).tz_convert("UTC").tz_localize(None)
    return value


# ---- what GX on pandas forgets, or cannot subtract


def _with_rows_picked(asked: Restated) -> Restated | None:
    """The rows of the condition instead of the condition, which GX forgets for these pairs alone."""
    rows = asked.rows()
    if asked.name != "expect_column_pair_values_to_be_in_set" or rows.all():
        return None
    changed = asked.expectation.copy(update={"row_condition": None, "condition_parser": None})
    return replace(asked, expectation=changed, picked=rows)


def _with_booleans_as_numbers(asked: Restated) -> Restated | None:
    if not asked.is_about("outliers") or asked.dtypes() != [pl.Boolean]:
        return None
    return replace(asked, frame=asked.frame.with_columns(pl.col(asked.targets).cast(pl.Int64)))


# In the order in which several are applied: text is read in the zone of its column before that changes.
RESTATEMENTS: dict[str, Callable[[Restated], Restated | None]] = {
    "Dates, times and durations in a suite are text": _with_temporal_types,
    "Sets of durations": _with_durations_as_text,
    "Times of day": _with_times_as_durations,
    "Open ends": _with_far_ends,
    "Nanoseconds": _with_microseconds,
    "Zones": _with_one_zone,
    "The row condition of pairs in a set": _with_rows_picked,
    "Outliers among booleans": _with_booleans_as_numbers,
}
