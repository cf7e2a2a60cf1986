"""Where the engine means to differ from GX on pandas: the list in docs/engine.md, as predicates.

A deviation is as narrow as it can be said. Where a suite can be restated so that pandas reads it as it is
meant (a date as a timestamp), pandas is asked that: see `restating.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any

import pandas as pd  # type: ignore[import-untyped]  # ships no types
import polars as pl

from expectations.engine.literals import to_literal
from tests.unit.expectations.engine.difference import Difference
from tests.unit.expectations.engine.oracle import (
    TYPE_EXPECTATIONS,
    as_pandas,
    differences,
    plain,
    raised,
)
from tests.unit.expectations.engine.restating import RESTATEMENTS, explain_by_restating

_EXACT = 2**53  # beyond, floats have gaps


def _typed_without_values(it: Difference) -> bool:
    # One value has no neighbour to be compared with either.
    enough = 2 if it.is_about("increasing", "decreasing") else 1
    return raised(it.ours) and not raised(it.theirs) and it.fewest_values() < enough


def _no_values(it: Difference) -> bool:
    of_rows = ("expect_column_values", "expect_column_value_z", "expect_column_pair")
    summarizes = it.name.startswith("expect_column_") and not it.name.startswith(of_rows)
    return summarizes and not raised(it.ours) and it.fewest_values() == 0


def _one_moment(it: Difference) -> bool:
    are_moments = all(dtype.is_temporal() for dtype in it.dtypes())
    return are_moments and it.is_about("z_scores", "stdev") and not raised(it.ours) and it.fewest_values() < 2


def _no_bound(it: Difference) -> bool:
    if not it.is_about("quantile") or not raised(it.ours) or raised(it.theirs):
        return False
    ranges = it.kwargs["quantile_ranges"]["value_ranges"]
    [dtype] = it.dtypes()
    return any(_is_unreadable(bound, dtype) for pair in ranges for bound in pair)


def _misspelt(it: Difference) -> bool:
    if it.name != "expect_column_values_to_not_be_in_set" or not raised(it.ours):
        return False
    texts = [value for value in it.kwargs["value_set"] if isinstance(value, str)]
    return any(dtype.is_temporal() and _is_unreadable(text, dtype) for dtype in it.dtypes() for text in texts)


def _is_unreadable(value: Any, dtype: pl.DataType) -> bool:
    try:
        to_literal(value, dtype)
    except (TypeError, ValueError):
        return True
    return False


def _itself(it: Difference) -> bool:
    kwargs = it.kwargs
    return "column_A" in kwargs and kwargs["column_A"] == kwargs["column_B"]


def _type_of_column(it: Difference) -> bool:
    if it.name not in TYPE_EXPECTATIONS or raised(it.ours):
        return False
    if raised(it.theirs) or (it.ours.success and not it.theirs.success):
        return True  # a name of Polars', or of SQL's
    [name] = it.targets
    names = [it.kwargs.get("type_"), *(it.kwargs.get("type_list") or ())]
    if it.frame.schema[name] == pl.Date and "datetime64" in names:
        return True  # pandas has no type for dates
    dtype = as_pandas(it.frame, it.expectation)[name].dtype
    return dtype.kind == "O" or isinstance(dtype, pd.StringDtype) or it.frame[name].null_count() > 0


def _durations_in_order(it: Difference) -> bool:
    has_durations = any(isinstance(dtype, pl.Duration) for dtype in it.dtypes())
    return has_durations and not differences(_in_one_order(it.ours), _in_one_order(it.theirs))


def _in_one_order(result: Any) -> Any:
    changed = copy(result)
    counts = plain(result.result.get("partial_unexpected_counts"))
    changed.result = {**result.result, "partial_unexpected_counts": counts and sorted(counts, key=repr)}
    return changed


def _infinite(it: Difference) -> bool:
    looks_at_distance = ("quantile", "outliers", "increasing", "decreasing", "z_scores", "mean", "stdev")
    return it.has_infinities() and it.is_about(*looks_at_distance)


def _nested(it: Difference) -> bool:
    return raised(it.theirs) and any(dtype.is_nested() for dtype in it.dtypes())


def _unordered(it: Difference) -> bool:
    are_lists = all(isinstance(dtype, (pl.List, pl.Array)) for dtype in it.dtypes())
    return it.is_about("a_to_be_greater_than_b") and are_lists and raised(it.ours)


def _no_text(it: Difference) -> bool:
    has_none = any(
        dtype.is_nested() or dtype.base_type() in {pl.Binary, pl.Duration} for dtype in it.dtypes()
    )
    return it.is_about("length", "regex") and has_none and raised(it.ours)


def _order(it: Difference) -> bool:
    is_ordered = it.is_about("increasing", "decreasing")
    return is_ordered and any(dtype.is_unsigned_integer() or dtype == pl.Boolean for dtype in it.dtypes())


def _sum_of_no_numbers(it: Difference) -> bool:
    numbers = all(dtype.is_numeric() or dtype in {pl.Boolean, pl.Null} for dtype in it.dtypes())
    return it.is_about("sum") and not numbers and raised(it.ours)


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


DEVIATIONS = (
    Deviation("A column has a type without values too", _typed_without_values),
    Deviation("Nothing is said of no values", _no_values),
    Deviation("One moment has no spread", _one_moment),
    Deviation("A bound of another kind", _no_bound),
    Deviation("Misspelt values are refused", _misspelt),
    Deviation("A column beside itself", _itself),
    Deviation("Names of types", _type_of_column),
    Deviation("The order of durations", _durations_in_order),
    Deviation("Infinities", _infinite),
    Deviation("Nested values", _nested),
    Deviation("Only numbers have a sum", _sum_of_no_numbers),
    Deviation("Wide integers", _wide),
    Deviation("The order of unsigned integers and booleans", _order),
    Deviation("The order of lists", _unordered),
    Deviation("Values without a text", _no_text),
)
NAMES = (*(deviation.name for deviation in DEVIATIONS), *RESTATEMENTS)


def explain(it: Difference, result_format: Any = "COMPLETE") -> str | None:
    """Name the deviation that a difference is, None if it is none."""
    named = (deviation.name for deviation in DEVIATIONS if deviation.holds(it))
    return next(named, None) or explain_by_restating(it, result_format)
