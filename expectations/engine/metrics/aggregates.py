"""Metrics that are one number of one column. Nulls and NaN never count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from expectations.engine.collecting import Deferred
from expectations.engine.domain import Domain
from expectations.engine.literals import as_text, is_reversed, to_literal
from expectations.engine.metrics.registering import Call, aggregate, metric

_INTERPOLATIONS = ("nearest", "linear", "lower", "higher", "midpoint")


def as_numbers(domain: Domain) -> pl.Expr:
    """The column's values for arithmetic: decimals as floats, as in GX; integers wide enough to be summed."""
    dtype, values = domain.dtype, domain.present
    if not dtype.is_numeric() and dtype not in {pl.Boolean, pl.Null}:
        raise TypeError(f"Column {domain.targets[0]!r} is {dtype}: this metric needs numbers.")
    if dtype.is_decimal() or dtype == pl.Null:
        return values.cast(pl.Float64)
    return values.cast(pl.Int64) if dtype.is_integer() and dtype != pl.UInt64 else values


def _moments(domain: Domain) -> pl.Expr:
    """Values that have a mean: numbers, dates and durations."""
    return domain.present if domain.dtype.is_temporal() else as_numbers(domain)


@aggregate("column.max")
def _max(domain: Domain) -> pl.Expr:
    return domain.present.max()


@aggregate("column.min")
def _min(domain: Domain) -> pl.Expr:
    return domain.present.min()


@aggregate("column.mean")
def _mean(domain: Domain) -> pl.Expr:
    return _moments(domain).mean()


@aggregate("column.median")
def _median(domain: Domain) -> pl.Expr:
    return _moments(domain).median()


@aggregate("column.sum")
def _sum(domain: Domain) -> pl.Expr:
    return as_numbers(domain).sum()


@aggregate("column.standard_deviation")
def _standard_deviation(domain: Domain) -> pl.Expr:
    return as_numbers(domain).std(ddof=1)


@aggregate("column_values.null.count")
def _null_count(domain: Domain) -> pl.Expr:
    return domain.restrict(domain.values.is_null()).sum()


@aggregate("column_values.nonnull.count")
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
    if how == "nearest":
        return pl.concat_list([_nearest(domain.present, q) for q in quantiles])
    return pl.concat_list([domain.present.quantile(q, interpolation=how) for q in quantiles])  # type: ignore[arg-type]  # checked above


def _nearest(values: pl.Expr, quantile: float) -> pl.Expr:
    """The value at the nearest rank; between two, the even rank, as in NumPy (Polars takes the upper one)."""
    last = values.len().cast(pl.Int64) - 1
    rank = (last.cast(pl.Float64) * quantile).round(mode="half_to_even").cast(pl.Int64)
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
    return Deferred(call.domain.restrict(inside).sum())


def between(domain: Domain, low: Any, high: Any, *, strict_min: bool, strict_max: bool) -> pl.Expr:
    """True where the column lies between two bounds, of which one may be None; null where it is null.

    Raises:
        ValueError: no bound at all, or the lower one above the upper one.
        TypeError: text is compared with what is no text.
    """
    if low is None and high is None:
        raise ValueError("min_value and max_value cannot both be None")
    low, high = to_literal(low, domain.dtype), to_literal(high, domain.dtype)
    is_text = domain.dtype == pl.String
    if any(isinstance(bound, str) != is_text for bound in (low, high) if bound is not None):
        raise TypeError("Column values, min_value, and max_value must either be None or of the same type.")
    if low is not None and high is not None and is_reversed(low, high):
        raise ValueError("min_value cannot be greater than max_value")
    return within(domain.values, low, high, strict_min, strict_max)


def within(
    values: pl.Expr, low: Any, high: Any, strict_min: bool | None = None, strict_max: bool | None = None
) -> pl.Expr:
    """True where an expression lies between two bounds, of which one may be None."""
    parts: list[pl.Expr] = []
    if low is not None:
        parts.append(values > low if strict_min else values >= low)
    if high is not None:
        parts.append(values < high if strict_max else values <= high)
    return parts[0] if len(parts) == 1 else parts[0] & parts[1]
