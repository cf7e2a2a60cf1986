"""Where the engine means to differ from GX on pandas: the list in docs/engine.md, as predicates.

A deviation is as narrow as it can be said. Where a suite can be restated so that pandas reads it as it is
meant (a date as a timestamp), pandas is asked that: see `restated`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd  # type: ignore[import-untyped]  # ships no types
import polars as pl
from great_expectations.expectations.expectation import Expectation

from expectations.engine.columns import Columns
from expectations.engine.domain import target_columns
from expectations.engine.literals import as_moment, to_literal
from expectations.engine.row_conditions import parse_row_condition
from tests.unit.expectations.engine.oracle import (
    TYPE_EXPECTATIONS,
    as_pandas,
    differences,
    raised,
    validate_on_pandas,
)

_EXACT = 2**53  # beyond, floats have gaps


@dataclass(frozen=True)
class Difference:
    """An expectation that two engines answer differently on one frame."""

    frame: pl.DataFrame
    expectation: Expectation
    ours: Any
    theirs: Any

    @property
    def name(self) -> str:
        return str(self.expectation.expectation_type)

    @property
    def targets(self) -> tuple[str, ...]:
        names = target_columns(self.expectation.configuration.kwargs)
        return tuple(name for name in names if name in self.frame.columns)

    def dtypes(self) -> list[pl.DataType]:
        return [self.frame.schema[name] for name in self.targets]

    def some_column_is_empty(self) -> bool:
        """Whether a target column has no value in the rows that the expectation is about."""
        rows = parse_row_condition(
            self.expectation.configuration.kwargs.get("row_condition"), Columns.of(self.frame)
        )
        frame = self.frame if rows is None else self.frame.filter(rows)
        return any(
            frame[name].fill_nan(None).drop_nulls().is_empty()
            if frame.schema[name].is_float()
            else frame[name].drop_nulls().is_empty()
            for name in self.targets
        )

    def has_infinities(self) -> bool:
        return any(
            self.frame.schema[name].is_float() and self.frame[name].is_infinite().any()
            for name in self.targets
        )


def _typed_without_values(it: Difference) -> bool:
    return raised(it.ours) and not raised(it.theirs) and it.some_column_is_empty()


def _no_values(it: Difference) -> bool:
    summarizes = it.name.startswith("expect_column_") and not it.name.startswith("expect_column_values")
    return summarizes and not raised(it.ours) and it.some_column_is_empty()


def _itself(it: Difference) -> bool:
    kwargs = it.expectation.configuration.kwargs
    return "column_A" in kwargs and kwargs["column_A"] == kwargs["column_B"]


def _type_of_column(it: Difference) -> bool:
    if it.name not in TYPE_EXPECTATIONS or raised(it.ours):
        return False
    if raised(it.theirs) or (it.ours.success and not it.theirs.success):
        return True  # a name of Polars', or of SQL's
    [name] = it.targets
    dtype = as_pandas(it.frame, it.expectation)[name].dtype
    return dtype.kind == "O" or isinstance(dtype, pd.StringDtype) or it.frame[name].null_count() > 0


def _infinite(it: Difference) -> bool:
    looks_at_distance = ("quantile", "outliers", "increasing", "decreasing", "z_scores", "mean", "stdev")
    return it.has_infinities() and any(word in it.name for word in looks_at_distance)


def _nested(it: Difference) -> bool:
    return raised(it.theirs) and any(dtype.is_nested() for dtype in it.dtypes())


def _no_text(it: Difference) -> bool:
    is_of_text = "length" in it.name or "regex" in it.name
    has_none = any(
        dtype.is_nested() or dtype.base_type() in {pl.Binary, pl.Duration} for dtype in it.dtypes()
    )
    return is_of_text and has_none and raised(it.ours)


def _order(it: Difference) -> bool:
    is_ordered = "increasing" in it.name or "decreasing" in it.name
    return is_ordered and any(dtype.is_unsigned_integer() or dtype == pl.Boolean for dtype in it.dtypes())


def _sum_of_no_numbers(it: Difference) -> bool:
    numbers = all(dtype.is_numeric() or dtype in {pl.Boolean, pl.Null} for dtype in it.dtypes())
    return "sum" in it.name and not numbers and raised(it.ours)


def _wide(it: Difference) -> bool:
    return any(
        abs(value) >= _EXACT
        for name, dtype in zip(it.targets, it.dtypes(), strict=True)
        if dtype.is_integer()
        for value in it.frame[name].drop_nulls()
    )


@dataclass(frozen=True)
class Deviation:
    """A difference that is meant, by its name in docs/engine.md."""

    name: str
    holds: Callable[[Difference], bool]


RESTATED = "Dates, times and durations in a suite are text"

DEVIATIONS = (
    Deviation("A column has a type without values too", _typed_without_values),
    Deviation("Nothing is said of no values", _no_values),
    Deviation("A column beside itself", _itself),
    Deviation("Names of types", _type_of_column),
    Deviation("Infinities", _infinite),
    Deviation("Nested values", _nested),
    Deviation("Only numbers have a sum", _sum_of_no_numbers),
    Deviation("Wide integers", _wide),
    Deviation("The order of unsigned integers and booleans", _order),
    Deviation("Values without a text", _no_text),
)


# ---- what pandas must be told to understand the same


def restated(it: Difference) -> Expectation | None:
    """The expectation with its values as the temporal types that pandas compares; None if it has none."""
    kwargs = it.expectation.configuration.kwargs
    if not any(dtype.is_temporal() for dtype in it.dtypes()):
        return None
    changed: dict[str, Any] = {}
    first, *others = [*it.dtypes(), *it.dtypes()]
    for key in ("min_value", "max_value"):
        if kwargs.get(key) is not None:
            changed[key] = _as_pandas_value(kwargs[key], first)
    if kwargs.get("value_set") is not None:
        values = [_as_pandas_value(value, first) for value in kwargs["value_set"]]
        # GX looks in a set of NumPy's own durations here.
        is_set = "distinct" in it.name
        changed["value_set"] = [
            value.as_unit("us").to_timedelta64() if is_set and isinstance(value, pd.Timedelta) else value
            for value in values
        ]
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


def explain(it: Difference, result_format: Any = "COMPLETE") -> str | None:
    """Name the deviation that a difference is, None if it is none."""
    for deviation in DEVIATIONS:
        if deviation.holds(it):
            return deviation.name
    other = restated(it)
    if other is not None and not differences(it.ours, validate_on_pandas(it.frame, other, result_format)):
        return RESTATED
    return None
