"""Row conditions on a pair or a list of columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import combinations
from operator import add
from typing import Any

import polars as pl

from expectations.engine.domain import Domain, everywhere
from expectations.engine.literals import as_compared, is_text
from expectations.engine.membership import is_member
from expectations.engine.metrics.row_tests import row_test


def _kind(dtype: pl.DataType) -> str:
    if dtype.is_numeric() or dtype == pl.Boolean:
        return "number"
    if is_text(dtype):
        return "text"
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        return "moment in a zone"
    return "moment" if isinstance(dtype, (pl.Date, pl.Datetime)) else type(dtype).__name__.lower()


def _value(domain: Domain, name: str) -> pl.Expr:
    dtype = domain.columns.dtype(name)
    value = as_compared(domain.columns.expr(name), dtype)
    # Moments in different zones compare, but not to Polars.
    is_zoned = isinstance(dtype, pl.Datetime) and dtype.time_zone
    return value.dt.convert_time_zone("UTC") if is_zoned else value


def _are_comparable(domain: Domain, names: Iterable[str]) -> bool:
    """Whether values of these columns can be compared at all: Polars would compare a date with a number."""
    return len({_kind(domain.columns.dtype(name)) for name in names} - {"null"}) <= 1


def _refuse(domain: Domain, what: str) -> TypeError:
    named = ", ".join(f"{name!r} ({domain.columns.dtype(name)})" for name in domain.targets)
    return TypeError(f"{what}: {named}.")


def _is_equal(domain: Domain, left: str, right: str) -> pl.Expr:
    """True where two columns hold the same value, null where one is null. Unlike kinds are never equal."""
    if _are_comparable(domain, (left, right)):
        return _value(domain, left) == _value(domain, right)
    are_present = domain.columns.expr(left).is_not_null() & domain.columns.expr(right).is_not_null()
    return pl.when(are_present).then(statement=False)


def _is_same(domain: Domain, left: str, right: str) -> pl.Expr:
    """True where two columns hold the same value or are both null; never null."""
    are_null = domain.columns.expr(left).is_null() & domain.columns.expr(right).is_null()
    return _is_equal(domain, left, right).fill_null(value=False) | are_null


@row_test("column_pair_values.a_greater_than_b")
def _a_greater_than_b(domain: Domain, or_equal: bool | None = None) -> pl.Expr:
    if not _are_comparable(domain, domain.targets):
        raise _refuse(domain, "Columns of different kinds have no order")
    left, right = (_value(domain, name) for name in domain.targets)
    return left >= right if or_equal else left > right


@row_test("column_pair_values.equal")
def _pair_equal(domain: Domain) -> pl.Expr:
    return _is_equal(domain, *domain.targets)


@row_test("column_pair_values.in_set")
def _pair_in_set(domain: Domain, value_pairs_set: Iterable[Sequence[Any]] | None = None) -> pl.Expr:
    if value_pairs_set is None:
        return everywhere(verdict=True)
    pairs = list(value_pairs_set)
    return (
        pl.any_horizontal([_is_pair(domain, pair) for pair in pairs]) if pairs else everywhere(verdict=False)
    )


def _is_pair(domain: Domain, pair: Sequence[Any]) -> pl.Expr:
    left, right = (_holds(domain, name, value) for name, value in zip(domain.targets, pair, strict=True))
    return left & right


def _holds(domain: Domain, name: str, value: Any) -> pl.Expr:
    """True where a column holds a value; None means null."""
    column = domain.columns.expr(name)
    if value is None:
        return column.is_null()
    return is_member(column, [value], domain.columns.dtype(name)).fill_null(value=False)


@row_test("multicolumn_sum.equal")
def _sum_equals(domain: Domain, sum_total: float) -> pl.Expr:
    if {_kind(domain.columns.dtype(name)) for name in domain.targets} - {"number", "null"}:
        raise _refuse(domain, "Only numbers have a sum")
    return reduce(add, [_summand(domain, name) for name in domain.targets]) == sum_total


def _summand(domain: Domain, name: str) -> pl.Expr:
    """A column wide enough that its sum with others cannot overflow; decimals as floats, as in GX."""
    dtype, values = domain.columns.dtype(name), domain.columns.expr(name)
    if dtype.is_integer() or dtype == pl.Boolean:
        return values.cast(pl.Int128 if dtype in {pl.Int64, pl.UInt64, pl.Int128} else pl.Int64)
    return values.cast(pl.Float64)


@row_test("multicolumn_values.equal")
def _all_equal(domain: Domain) -> pl.Expr:
    first = domain.targets[0]
    return pl.all_horizontal([_is_same(domain, first, name) for name in domain.targets])


@row_test("select_column_values.unique.within_record")
def _all_different(domain: Domain) -> pl.Expr:
    pairs = [~_is_same(domain, left, right) for left, right in combinations(domain.targets, 2)]
    return pl.all_horizontal(pairs) if pairs else everywhere(verdict=True)
