"""GX row conditions as Polars expressions.

A condition splits rows in two: it is True or False, never null (see `comparisons`).
"""

from __future__ import annotations

from typing import Any

import polars as pl
from great_expectations.expectations.row_conditions import (
    AndCondition,
    ComparisonCondition,
    Condition,
    NullityCondition,
    Operator,
    OrCondition,
    PassThroughCondition,
    deserialize_row_condition,
)

from expectations.engine.columns import Columns
from expectations.engine.comparisons import compare
from expectations.engine.errors import RowConditionError
from expectations.engine.query_strings import parse_query


def parse_row_condition(condition: Any, columns: Columns) -> pl.Expr | None:
    """Turn whatever GX holds in `row_condition` into a boolean expression that is never null.

    Args:
        condition: a GX condition object, its dict, a pandas-style query string, or None.
        columns: the columns that the condition may name.

    Raises:
        RowConditionError: the condition is of another kind, or a query string leaves the supported subset.
    """
    if isinstance(condition, dict):
        condition = deserialize_row_condition(condition)
    if not condition:
        return None
    if isinstance(condition, str):
        return parse_query(condition, columns)
    if isinstance(condition, Condition):
        return _parse(condition, columns)
    raise RowConditionError(
        f"row_condition: {type(condition).__name__} is not supported. Use Column(...) conditions."
    )


def _parse(condition: Condition, columns: Columns) -> pl.Expr:
    match condition:
        case PassThroughCondition():
            return parse_query(condition.pass_through_filter, columns)
        case ComparisonCondition():
            name = condition.column.name
            return compare(columns, name, Operator(condition.operator).value, condition.parameter)
        case NullityCondition():
            column = columns.expr(condition.column.name)
            return column.is_null() if condition.is_null else column.is_not_null()
        case AndCondition():
            return pl.all_horizontal([_parse(part, columns) for part in condition.conditions])
        case OrCondition():
            return pl.any_horizontal([_parse(part, columns) for part in condition.conditions])
        case _:
            raise RowConditionError(f"row_condition: {type(condition).__name__} is not supported.")
