"""Metrics that are one number of one column. Nulls and NaN never count."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from expectations.engine.collecting import Deferred
from expectations.engine.domain import Domain
from expectations.engine.literals import as_compared, as_text, is_reversed, is_text, to_literal
from expectations.engine.metrics.registering import Call, aggregate, metric

_SMALL = frozenset({pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32, pl.Boolean})
_MEASURED = (pl.Date, pl.Datetime, pl.Duration)
_INTERPOLATIONS = ("nearest", "linear", "lower", "higher", "midpoint")


def as_numbers(domain: Domain) -> pl.Expr:
    """The domain's values for arithmetic, without nulls."""
    return to_numbers(domain, domain.present)


def to_numbers(domain: Domain, values: pl.Expr) -> pl.Expr:
    """Values of the column for arithmetic: decimals as floats, as in GX; small integers wide enough.

    Raises:
        TypeError: the column holds no numbers.
    """
    dtype = domain.dtype
    if not dtype.is_numeric() and dtype not in {pl.Boolean, pl.Null}:
        raise TypeError(f"Column {domain.targets[0]!r} is {dtype}: this metric needs numbers.")
    if dtype.is_decimal() or dtype == pl.Null:
        return values.cast(pl.Float64)
    return values.cast(pl.Int64) if dtype in _SMALL else values


def to_distances(domain: Domain, values: pl.Expr) -> pl.Expr:
    """Values of the column for arithmetic; of moments and durations, how far they are from the least one.

    Raises:
        TypeError: the column holds neither these nor numbers.
    """
    if not isinstance(domain.dtype, _MEASURED):
        return to_numbers(domain, values)
    least = as_moments(domain.present, domain.dtype).to_physical().min()
    return (as_moments(values, domain.dtype).to_physical() - least).cast(pl.Float64)


def as_moments(values: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Read dates as their midnights."""
    return values.cast(pl.Datetime("us")) if dtype == pl.Date else values


def _moments(domain: Domain) -> pl.Expr:
    """Values that have a mean: numbers, dates and durations."""
    return domain.present if domain.dtype.is_temporal() else as_numbers(domain)


def _ordered(domain: Domain) -> pl.Expr:
    return as_compared(domain.present, domain.dtype)


@aggregate("column.max")
def _max(domain: Domain) -> pl.Expr:
    return _ordered(domain).max()


@aggregate("column.min")
def _min(domain: Domain) -> pl.Expr:
    return _ordered(domain).min()


@aggregate("column.mean")
def _mean(domain: Domain) -> pl.Expr:
    return _moments(domain).mean()


@aggregate("column.median")
def _median(domain: Domain) -> pl.Expr:
    values = _moments(domain)
    if not domain.dtype.is_float():
        return values.median()
    # Polars looks for what lies between the middle two: NaN where one of them is infinite.
    lower, higher = (values.quantile(0.5, interpolation=how) for how in ("lower", "higher"))
    return (lower + higher) / 2


@aggregate("column.sum")
def _sum(domain: Domain) -> pl.Expr:
    if isinstance(domain.dtype, pl.Duration):
        return domain.present.sum()
    values = as_numbers(domain)
    # 64 bits hold the values, but not always their sum.
    return values.cast(pl.Int128).sum() if domain.dtype.is_integer() else values.sum()


@aggregate("column.standard_deviation")
def _standard_deviation(domain: Domain) -> pl.Expr:
    deviation = to_distances(domain, domain.present).std(ddof=1)
    if not isinstance(domain.dtype, _MEASURED):
        return deviation
    unit = "us" if isinstance(domain.dtype, pl.Date) else domain.dtype.time_unit
    return deviation.cast(pl.Int64).cast(pl.Duration(unit))


@aggregate("column_values.null.count")
def _null_count(domain: Domain) -> pl.Expr:
    return domain.restrict(domain.values.is_null()).sum()


# NumPy's, because GX divides by it: by zero where there are no values.
@aggregate("column_values.nonnull.count", finish=np.int64)
@aggregate("column.non_null_count")
def _non_null_count(domain: Domain) -> pl.Expr:
    return domain.without_nulls().count()


@aggregate("column.distinct_values.count")
def _distinct_count(domain: Domain) -> pl.Expr:
    return domain.present.n_unique()


@aggregate("column_values.length.max")
def _longest(domain: Domain) -> pl.Expr:
    return as_text(domain.present, domain.dtype).str.len_chars().max()


@aggregate("column_values.length.min")
def _shortest(domain: Domain) -> pl.Expr:
    return as_text(domain.present, domain.dtype).str.len_chars().min()


@aggregate("column.quantile_values", finish=lambda values: values.to_list())
def _quantiles(
    domain: Domain, quantiles: Sequence[float], allow_relative_error: str | bool | None = None
) -> pl.Expr:
    how = allow_relative_error or "nearest"
    if how not in _INTERPOLATIONS:
        raise ValueError(f"allow_relative_error must be one of {', '.join(_INTERPOLATIONS)}, not {how!r}.")
    has_distances = domain.dtype.is_numeric() or domain.dtype.is_temporal() or domain.dtype == pl.Null
    by_rank = is_text(domain.dtype) or domain.dtype.is_temporal() or domain.dtype == pl.Boolean
    if how == "nearest" or (how in _ROUNDINGS and by_rank):
        return pl.concat_list([_at_rank(_ordered(domain), q, _ROUNDINGS[how]) for q in quantiles])
    if not has_distances:
        raise TypeError(
            f"Column {domain.targets[0]!r} is {domain.dtype}: there is nothing between its values."
        )
    # Polars panics at the quantile of no dates; of no moments it is null.
    values = as_moments(domain.present, domain.dtype)
    return pl.concat_list([values.quantile(q, interpolation=how) for q in quantiles])  # type: ignore[arg-type]  # checked above


def _nearest(rank: pl.Expr) -> pl.Expr:
    """Between two, the even rank, as in NumPy; Polars takes the upper one."""
    return rank.round(mode="half_to_even")


_ROUNDINGS = {"nearest": _nearest, "lower": pl.Expr.floor, "higher": pl.Expr.ceil}


def _at_rank(values: pl.Expr, quantile: float, rounding: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """The value at a rank of the sorted values."""
    last = values.len().cast(pl.Int64) - 1
    rank = rounding(last.cast(pl.Float64) * quantile).cast(pl.Int64)
    # An empty column has no rank 0 either: -1 would read the last value.
    return values.sort().get(pl.when(last >= 0).then(rank).otherwise(0), null_on_oob=True)


@metric("column_values.between.count")
def _between_count(call: Call) -> Deferred:
    low, high = call.values.get("min_value"), call.values.get("max_value")
    inside = between(
        call.domain,
        low,
        high,
        strict_min=bool(call.values.get("strict_min")),
        strict_max=bool(call.values.get("strict_max")),
    )
    return Deferred(call.domain.restrict(inside).sum(), np.int64)


def between(domain: Domain, low: Any, high: Any, *, strict_min: bool, strict_max: bool) -> pl.Expr:
    """True where the column lies between two bounds, of which one may be None; null where it is null.

    Raises:
        ValueError: no bound at all, or the lower one above the upper one.
        TypeError: text is compared with what is no text.
    """
    if low is None and high is None:
        raise ValueError("min_value and max_value cannot both be None")
    low, high = to_literal(low, domain.dtype), to_literal(high, domain.dtype)
    if any(isinstance(bound, str) != is_text(domain.dtype) for bound in (low, high) if bound is not None):
        raise TypeError("Column values, min_value, and max_value must either be None or of the same type.")
    if low is not None and high is not None and is_reversed(low, high):
        raise ValueError("min_value cannot be greater than max_value")
    return within(as_compared(domain.values, domain.dtype), low, high, strict_min, strict_max)


def within(
    values: pl.Expr, low: Any, high: Any, strict_min: bool | None = None, strict_max: bool | None = None
) -> pl.Expr:
    """True where an expression lies between two bounds, of which one may be None; NaN bounds nothing."""
    if any(isinstance(bound, float) and math.isnan(bound) for bound in (low, high)):
        return pl.when(values.is_not_null()).then(statement=False)
    parts: list[pl.Expr] = []
    if low is not None:
        parts.append(values > low if strict_min else values >= low)
    if high is not None:
        parts.append(values < high if strict_max else values <= high)
    return parts[0] if len(parts) == 1 else parts[0] & parts[1]
