"""Comparisons inside a row condition, with pandas' two-valued logic.

A comparison with null is False, except `!=` and `not in`, which are True: that is what `DataFrame.query` does
with NaN, so that a row condition selects the same rows as GX on pandas.
"""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from expectations.engine.columns import Columns
from expectations.engine.errors import RowConditionError
from expectations.engine.literals import as_compared, to_literal
from expectations.engine.membership import is_member


def compare(columns: Columns, name: str, operator: str, value: Any) -> pl.Expr:
    """Compare a column with a literal; `operator` is one of GX's, as text."""
    column, dtype = columns.expr(name), columns.dtype(name)
    if operator == "IN":
        return is_member(column, value, dtype, strict=True).fill_null(value=False)
    if operator == "NOT_IN":
        return ~is_member(column, value, dtype, strict=True).fill_null(value=False)
    return apply_comparison(operator, as_compared(column, dtype), to_literal(value, dtype))


def apply_comparison(operator: str, left: Any, right: Any) -> pl.Expr:
    """Compare two operands, nulls and NaN as pandas has them; to Polars NaN is the greatest number."""
    left, right = _without_nan(left), _without_nan(right)
    verdict: pl.Expr
    match operator:
        case "==":
            verdict = left == right
        case "!=":
            verdict = left != right
            return verdict.fill_null(value=True)
        case "<":
            verdict = left < right
        case "<=":
            verdict = left <= right
        case ">":
            verdict = left > right
        case ">=":
            verdict = left >= right
        case _:
            raise RowConditionError(f"row_condition: operator {operator!r} is not supported.")
    return verdict.fill_null(value=False)


def _without_nan(operand: Any) -> Any:
    if isinstance(operand, float) and math.isnan(operand):
        return pl.lit(None, dtype=pl.Float64)
    return operand
