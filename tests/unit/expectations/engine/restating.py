"""Questions that pandas understands only when they are put otherwise.

A difference is explained if pandas, asked again, answers as the engine did: the answer is checked, not waved
through.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import pandas as pd  # type: ignore[import-untyped]  # ships no types
import polars as pl
from great_expectations.expectations.expectation import Expectation

from expectations.engine.literals import as_moment, show, to_literal
from tests.unit.expectations.engine.difference import Difference
from tests.unit.expectations.engine.oracle import as_pandas, differences, validate_on_pandas

Question = tuple[Any, Expectation]  # rows, as pandas or Polars has them, and what is expected of them


def explain_by_restating(it: Difference, result_format: Any) -> str | None:
    """The name of the restatement under which pandas answers as the engine did, None if there is none."""
    for name, restate in RESTATEMENTS.items():
        for rows, expectation in restate(it):
            answer = validate_on_pandas(rows, expectation, result_format)
            if not differences(it.ours, answer):
                return name
            if name == ZONES and not differences(_without_zones(it.ours), _without_zones(answer)):
                return name
    return None


# ---- values as the temporal types that pandas compares


def _with_temporal_types(it: Difference) -> Iterator[Question]:
    if (changed := _temporal_arguments(it)) is not None:
        yield it.frame, changed


def _temporal_arguments(it: Difference) -> Expectation | None:
    """The expectation with its values as pandas' own types; None if it has none of them."""
    kwargs = it.expectation.configuration.kwargs
    if not any(dtype.is_temporal() for dtype in it.dtypes()):
        return None
    changed: dict[str, Any] = {}
    first, *others = [*it.dtypes(), *it.dtypes()]
    for key in ("min_value", "max_value"):
        if kwargs.get(key) is not None:
            changed[key] = _as_pandas_value(kwargs[key], first)
    if kwargs.get("value_set") is not None:
        changed["value_set"] = [_as_pandas_value(value, first) for value in kwargs["value_set"]]
    if kwargs.get("value_pairs_set") is not None:
        changed["value_pairs_set"] = [
            (_as_pandas_value(left, first), _as_pandas_value(right, others[0]))
            for left, right in kwargs["value_pairs_set"]
        ]
    if kwargs.get("quantile_ranges") is not None:
        wanted = dict(kwargs["quantile_ranges"])
        wanted["value_ranges"] = [
            [_as_pandas_value(v, first) for v in pair] for pair in wanted["value_ranges"]
        ]
        changed["quantile_ranges"] = wanted
    return it.expectation.copy(update=changed) if changed else None


def _as_pandas_value(value: Any, dtype: pl.DataType) -> Any:
    if value is None or not dtype.is_temporal():
        return value
    try:
        literal = as_moment(to_literal(value, dtype))
    except (TypeError, ValueError):
        return value
    if isinstance(literal, dt.datetime):
        return pd.Timestamp(literal)
    return pd.Timedelta(literal) if isinstance(literal, dt.timedelta) else literal


# ---- durations and times of day, of which GX can write no set and pandas has no type


def _with_durations_as_text(it: Difference) -> Iterator[Question]:
    """A set of durations as they are written, column and set alike."""
    values = it.expectation.configuration.kwargs.get("value_set")
    if values is None or not any(isinstance(dtype, pl.Duration) for dtype in it.dtypes()):
        return
    [name], [dtype] = it.targets, it.dtypes()
    written = [_write(value, dtype) for value in values]
    column = pl.Series(name, [_write(value, dtype) for value in it.frame[name]], dtype=pl.String)
    yield it.frame.with_columns(column), it.expectation.copy(update={"value_set": written})


def _write(value: Any, dtype: pl.DataType) -> Any:
    try:
        return show(to_literal(value, dtype))
    except (TypeError, ValueError):
        return value


def _with_times_as_durations(it: Difference) -> Iterator[Question]:
    times = [name for name, dtype in zip(it.targets, it.dtypes(), strict=True) if dtype == pl.Time]
    if times:
        yield it.frame.with_columns(pl.col(times).cast(pl.Duration("ns"))), it.expectation


def _with_microseconds(it: Difference) -> Iterator[Question]:
    """The most common of moments in nanoseconds are integers on pandas."""
    if it.is_about("most_common") and it.dtypes() == [pl.Datetime("ns")]:
        frame = it.frame.with_columns(pl.col(it.targets).cast(pl.Datetime("us")))
        yield frame, _temporal_arguments(it) or it.expectation


# ---- moments in zones, of which pandas loses the zone or an hour


def _with_one_zone(it: Difference) -> Iterator[Question]:
    zoned = [
        name for name in it.targets if isinstance(d := it.frame.schema[name], pl.Datetime) and d.time_zone
    ]
    if zoned:
        frame = it.frame.with_columns(pl.col(zoned).dt.convert_time_zone("UTC"))
        yield frame, _temporal_arguments(it) or it.expectation


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


def _with_rows_picked(it: Difference) -> Iterator[Question]:
    """The rows of the condition instead of the condition, which GX forgets for these pairs alone."""
    if it.name != "expect_column_pair_values_to_be_in_set" or it.rows().all():
        return
    picked = as_pandas(it.frame, it.expectation)[it.rows().to_numpy()]
    without = {"row_condition": None, "condition_parser": None}
    yield picked, (_temporal_arguments(it) or it.expectation).copy(update=without)


def _with_booleans_as_numbers(it: Difference) -> Iterator[Question]:
    if it.is_about("outliers") and it.dtypes() == [pl.Boolean]:
        yield it.frame.with_columns(pl.col(it.targets).cast(pl.Int64)), it.expectation


ZONES = "Zones"
RESTATEMENTS: dict[str, Callable[[Difference], Iterator[Question]]] = {
    "Dates, times and durations in a suite are text": _with_temporal_types,
    "Sets of durations": _with_durations_as_text,
    "Nanoseconds": _with_microseconds,
    ZONES: _with_one_zone,
    "Times of day": _with_times_as_durations,
    "The row condition of pairs in a set": _with_rows_picked,
    "Outliers among booleans": _with_booleans_as_numbers,
}
