"""Metrics about the distinct values of one column."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import polars as pl
from dateutil.parser import parse  # type: ignore[import-untyped]  # ships no types

from expectations.engine.collecting import Deferred
from expectations.engine.domain import Domain
from expectations.engine.literals import as_compared, as_moment, to_literal, with_offset
from expectations.engine.membership import is_member
from expectations.engine.metrics.aggregates import as_numbers, within
from expectations.engine.metrics.registering import Call, aggregate, metric
from expectations.engine.to_pandas import to_pandas_series

_LISTED = 20  # how many values GX lists unless told


@aggregate("column.distinct_values", finish=lambda values: set(map(with_offset, values)))
def _distinct_values(domain: Domain) -> pl.Expr:
    return domain.present.unique().implode()


@aggregate("column.most_common_value", finish=lambda values: values.to_list())
def _most_common(domain: Domain) -> pl.Expr:
    return as_compared(domain.present, domain.dtype).mode().sort().implode()


@metric("column.value_counts")
def _value_counts(call: Call) -> Deferred:
    sort = call.values.get("sort") or "value"
    if sort not in {"value", "count", "none"}:
        raise ValueError("sort must be either 'value', 'count', or 'none'")
    if call.values.get("collate") is not None:
        raise ValueError("collate parameter is not supported on Polars")
    values = as_compared(call.domain.present, call.domain.dtype)
    counts = values.alias("value").value_counts(sort=True)

    def finish(found: pl.Series) -> Any:
        table = found.struct.unnest()
        return _as_series(table.sort("value") if sort == "value" else table)

    return Deferred(counts.implode(), finish)


def _as_series(table: pl.DataFrame) -> Any:
    series = to_pandas_series(table.get_column("count"))
    series.index = to_pandas_series(table.get_column("value"))
    return series.rename("count").rename_axis("value")


def _outside(domain: Domain, value_set: Iterable[Any] | None) -> pl.Expr:
    # Distinct last: their order is chance, so that those asked for twice may not lie side by side.
    present = domain.present
    return present.filter(~is_member(present, value_set or (), domain.dtype)).unique()


@aggregate("column.distinct_values.not_in_set.count")
def _not_in_set_count(domain: Domain, value_set: Iterable[Any] | None = None) -> pl.Expr:
    return _outside(domain, value_set).len()


@aggregate("column.distinct_values.not_in_set", finish=lambda values: values.to_list())
def _not_in_set(domain: Domain, value_set: Iterable[Any] | None = None, limit: int | None = None) -> pl.Expr:
    found = as_compared(_outside(domain, value_set), domain.dtype).sort().head(limit or _LISTED)
    return (found.dt.to_string() if isinstance(domain.dtype, pl.Duration) else found).implode()


@metric("column.distinct_values.missing_from_column.count")
def _missing_count(call: Call) -> Deferred:
    return _missing(call, len)


@metric("column.distinct_values.missing_from_column")
def _missing_values(call: Call) -> Deferred:
    return _missing(call, lambda missing: missing[: call.values.get("limit") or _LISTED])


def _meaning(value: Any, dtype: pl.DataType) -> Any:
    """What two values of a set share that are one to the column: a date and its text."""
    try:
        return as_moment(to_literal(value, dtype))
    except (TypeError, ValueError):
        return value


def _as_listed(value: Any, dtype: pl.DataType) -> Any:
    """Text as the moment that GX reads in it, for a column of moments or dates."""
    if dtype not in (pl.Datetime, pl.Date) or not isinstance(value, str):
        return value
    try:
        return parse(value)
    except (ValueError, OverflowError):
        return value


def _missing(call: Call, finish: Any) -> Deferred:
    """The values of the set that the column never takes, in the order of the set; a null is never taken."""
    domain = call.domain
    by_meaning: dict[Any, Any] = {}
    for value in call.values.get("value_set") or ():
        by_meaning.setdefault(_meaning(value, domain.dtype), value)
    wanted = list(by_meaning.values())
    found = [is_member(domain.present, [value], domain.dtype).any() for value in wanted]
    if not found:
        return Deferred(pl.lit(0), lambda _: finish([]))

    def pick(hits: pl.Series) -> Any:
        missing = [value for value, hit in zip(wanted, hits, strict=True) if not hit]
        return finish([_as_listed(value, domain.dtype) for value in missing])

    return Deferred(pl.concat_list(found), pick)


@metric("column.histogram")
def _histogram(call: Call) -> Deferred:
    """How many values lie in each bin; a bin has its lower edge, the last one both."""
    edges = call.values["bins"]
    if isinstance(edges, (int, str)) or len(edges) < 2:
        raise ValueError(f"bins must be the edges of one bin at least, not {edges!r}.")
    if any(low > high for low, high in pairwise(edges)):
        raise ValueError("bins must increase.")
    values, last = as_numbers(call.domain), len(edges) - 2
    counts = [
        within(values, low, high, strict_max=number < last).sum()
        for number, (low, high) in enumerate(pairwise(edges))
    ]
    return Deferred(pl.concat_list(counts), lambda found: found.to_list())
