"""The values that an expectation names, read as other types."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd  # type: ignore[import-untyped]  # ships no types
import polars as pl
from great_expectations.expectations.expectation import Expectation

from expectations.engine.literals import as_moment, to_literal
from tests.unit.expectations.engine.difference import Asked

Change = Callable[[Any, pl.DataType], Any]  # of a value that meets a column of this type


def map_values(asked: Asked, change: Change) -> Expectation | None:
    """The expectation with its bounds, sets, pairs and ranges changed; None if it has none of them."""
    kwargs = asked.kwargs
    changed: dict[str, Any] = {}
    first, *others = [*asked.dtypes(), *asked.dtypes()]
    for key in ("min_value", "max_value"):
        if kwargs.get(key) is not None:
            changed[key] = change(kwargs[key], first)
    if kwargs.get("value_set") is not None:
        changed["value_set"] = [change(value, first) for value in kwargs["value_set"]]
    if kwargs.get("value_pairs_set") is not None:
        changed["value_pairs_set"] = [
            (change(left, first), change(right, others[0])) for left, right in kwargs["value_pairs_set"]
        ]
    if kwargs.get("quantile_ranges") is not None:
        ranges = [
            [change(value, first) for value in pair] for pair in kwargs["quantile_ranges"]["value_ranges"]
        ]
        changed["quantile_ranges"] = kwargs["quantile_ranges"] | {"value_ranges": ranges}
    return asked.expectation.copy(update=changed) if changed else None


def read_as_column(value: Any, dtype: pl.DataType) -> Any:
    """The value as the column has it; as it is where the column has no such value."""
    try:
        return to_literal(value, dtype)
    except (TypeError, ValueError):
        return value


def read_as_pandas(value: Any, dtype: pl.DataType) -> Any:
    """The value as pandas' own type, if the column is temporal."""
    if value is None or not dtype.is_temporal():
        return value
    literal = as_moment(read_as_column(value, dtype))
    if isinstance(literal, dt.datetime):
        return pd.Timestamp(literal)
    return pd.Timedelta(literal) if isinstance(literal, dt.timedelta) else literal
