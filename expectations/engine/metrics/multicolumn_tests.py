"""Row conditions on a pair or a list of columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import combinations
from operator import add
from typing import Any

import polars as pl

from expectations.engine.domain import Domain
from expectations.engine.literals import to_literal
from expectations.engine.metrics.row_tests import row_test


def _columns(domain: Domain) -> list[pl.Expr]:
    return [domain.columns.expr(name) for name in domain.targets]


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
        return pl.lit(value=True)
    pairs = list(value_pairs_set)
    return pl.any_horizontal([_is_pair(domain, pair) for pair in pairs]) if pairs else pl.lit(value=False)


def _is_pair(domain: Domain, pair: Sequence[Any]) -> pl.Expr:
    wanted = [
        to_literal(value, domain.columns.dtype(name))
        for name, value in zip(domain.targets, pair, strict=True)
    ]
    left, right = (column.eq_missing(value) for column, value in zip(_columns(domain), wanted, strict=True))
    return left & right


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
    return pl.all_horizontal(pairs) if pairs else pl.lit(value=True)
