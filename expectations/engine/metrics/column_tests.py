"""Row conditions on one column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from expectations.engine.domain import Domain, everywhere
from expectations.engine.literals import as_text
from expectations.engine.membership import is_member
from expectations.engine.metrics.aggregates import between, within
from expectations.engine.metrics.row_tests import row_test


@row_test("column_values.nonnull", tests_nulls=True)
def _not_null(domain: Domain) -> pl.Expr:
    return domain.values.is_not_null()


@row_test("column_values.null", tests_nulls=True)
def _null(domain: Domain) -> pl.Expr:
    return domain.values.is_null()


@row_test("column_values.in_set")
def _in_set(domain: Domain, value_set: Iterable[Any] | None = None) -> pl.Expr:
    if value_set is None:
        return everywhere(verdict=True)
    return is_member(domain.values, value_set, domain.dtype)


@row_test("column_values.not_in_set")
def _not_in_set(domain: Domain, value_set: Iterable[Any] | None = None) -> pl.Expr:
    if value_set is None:
        return everywhere(verdict=True)
    return ~is_member(domain.values, value_set, domain.dtype, strict=True)


@row_test("column_values.between")
def _between(
    domain: Domain,
    min_value: Any = None,
    max_value: Any = None,
    strict_min: bool | None = None,
    strict_max: bool | None = None,
) -> pl.Expr:
    return between(domain, min_value, max_value, strict_min=bool(strict_min), strict_max=bool(strict_max))


def _length(domain: Domain) -> pl.Expr:
    return as_text(domain.values, domain.dtype).str.len_chars()


@row_test("column_values.value_length.equals")
def _length_equals(domain: Domain, value: int) -> pl.Expr:
    return _length(domain) == value


@row_test("column_values.value_length.between")
def _length_between(
    domain: Domain,
    min_value: int | None = None,
    max_value: int | None = None,
    strict_min: bool | None = None,
    strict_max: bool | None = None,
) -> pl.Expr:
    if min_value is None and max_value is None:
        raise ValueError("min_value and max_value cannot both be None")
    return within(_length(domain), min_value, max_value, strict_min, strict_max)


def _previous(domain: Domain) -> pl.Expr:
    """The last value of the domain before this row, null for the first."""
    dtype = domain.dtype
    if not (dtype.is_numeric() or dtype.is_temporal() or dtype in {pl.Boolean, pl.Null}):
        raise TypeError(f"Column {domain.targets[0]!r} is {dtype}: its values have no differences.")
    return domain.masked().forward_fill().shift(1)


@row_test("column_values.increasing")
def _increasing(domain: Domain, strictly: bool | None = None) -> pl.Expr:
    values, previous = domain.values, _previous(domain)
    return previous.is_null() | (values > previous if strictly else values >= previous)


@row_test("column_values.decreasing")
def _decreasing(domain: Domain, strictly: bool | None = None) -> pl.Expr:
    values, previous = domain.values, _previous(domain)
    return previous.is_null() | (values < previous if strictly else values <= previous)
