"""Row conditions on a pair or a list of columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import combinations
from operator import add
from typing import Any

import polars as pl

from expectations.engine.domain import Domain, everywhere
from expectations.engine.literals import is_member
from expectations.engine.metrics.row_tests import row_test


def _columns(domain: Domain) -> list[pl.Expr]:
    """The target columns, if their values can be compared: Polars would compare a date with a number."""
    kinds = {_kind(domain.columns.dtype(name)) for name in domain.targets} - {"null"}
    if len(kinds) > 1:
        named = ", ".join(f"{name!r} ({domain.columns.dtype(name)})" for name in domain.targets)
        raise TypeError(f"Columns of different kinds cannot be compared: {named}.")
    return [domain.columns.expr(name) for name in domain.targets]


def _kind(dtype: pl.DataType) -> str:
    if dtype.is_numeric() or dtype == pl.Boolean:
        return "number"
    if isinstance(dtype, (pl.String, pl.Categorical, pl.Enum)):
        return "text"
    return "moment" if isinstance(dtype, (pl.Date, pl.Datetime)) else type(dtype).__name__.lower()


@row_test("column_pair_values.a_greater_than_b")
def _a_greater_than_b(domain: Domain, or_equal: bool | None = None) -> pl.Expr:
    left, right = _columns(domain)
    return left >= right if or_equal else left > right


@row_test("column_pair_values.equal")
def _pair_equal(domain: Domain) -> pl.Expr:
    left, right = _columns(domain)
    return left == right


@row_test("column_pair_values.in_set")
def _pair_in_set(domain: Domain, value_pairs_set: Iterable[Sequence[Any]] | None = None) -> pl.Expr:
    if value_pairs_set is None:
        return everywhere(verdict=True)
    pairs = list(value_pairs_set)
    return (
        pl.any_horizontal([_is_pair(domain, pair) for pair in pairs]) if pairs else everywhere(verdict=False)
    )


def _is_pair(domain: Domain, pair: Sequence[Any]) -> pl.Expr:
    left, right = (_equals(domain, name, value) for name, value in zip(domain.targets, pair, strict=True))
    return left & right


def _equals(domain: Domain, name: str, value: Any) -> pl.Expr:
    """True where a column holds a value; None means null."""
    column = domain.columns.expr(name)
    if value is None:
        return column.is_null()
    return is_member(column, [value], domain.columns.dtype(name)).fill_null(value=False)


@row_test("multicolumn_sum.equal")
def _sum_equals(domain: Domain, sum_total: float) -> pl.Expr:
    return reduce(add, _columns(domain)) == sum_total


@row_test("multicolumn_values.equal")
def _all_equal(domain: Domain) -> pl.Expr:
    first, *others = _columns(domain)
    return pl.all_horizontal([first.eq_missing(other) for other in (first, *others)])


@row_test("select_column_values.unique.within_record")
def _all_different(domain: Domain) -> pl.Expr:
    pairs = [left.ne_missing(right) for left, right in combinations(_columns(domain), 2)]
    return pl.all_horizontal(pairs) if pairs else everywhere(verdict=True)
