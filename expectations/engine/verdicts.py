"""Row verdicts: which rows an expectation does not expect, as an expression over the frame."""

from __future__ import annotations

import polars as pl
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.registry import get_metric_kwargs

from expectations.engine.columns import Columns
from expectations.engine.domain import Domain
from expectations.engine.errors import NotRowLevelError
from expectations.engine.metrics.row_tests import ROW_TESTS
from expectations.engine.preparing import prepare

# GX derives these from its row-level class, but on Polars a column has one type.
_OF_THE_COLUMN = frozenset({"expect_column_values_to_be_of_type", "expect_column_values_to_be_in_type_list"})


def is_row_level(expectation: Expectation) -> bool:
    """Whether single rows can be unexpected, so that `unexpected_rows_expr` has an answer.

    False for expectations about a table or a column as a whole (its type is of the whole), and for row-level
    ones of one's own that have a pandas version alone.
    """
    return _map_metric(expectation) in ROW_TESTS and expectation.expectation_type not in _OF_THE_COLUMN


def unexpected_rows_expr(
    expectation: Expectation, schema: pl.Schema | pl.DataFrame | pl.LazyFrame
) -> pl.Expr:
    """Give the expression that is True exactly where GX counts the row as unexpected.

    It is as long as the frame and never null, and it sums to `unexpected_count` of the same expectation in
    `validate_frame`. A null is not unexpected unless the expectation is about nulls. Rows outside of the
    `row_condition`, or left out by `ignore_row_if`, are never unexpected. For uniqueness every copy is, where
    only rows inside of the condition are copies of each other. `mostly` plays no part.

    Uniqueness, order, z-scores and outliers look at other rows: the expression must run over the whole frame,
    not over slices.

    Args:
        expectation: a row-level expectation, its suite parameters filled in.
        schema: the frame that it will run on, or its schema: columns are looked up in it, and literals take
            their type from it.

    Raises:
        NotRowLevelError: the expectation is not about single rows.
        RowConditionError: its row condition has no Polars expression.
    """
    if not is_row_level(expectation):
        raise NotRowLevelError(
            f"{expectation.expectation_type} judges no single rows, so none can be named as unexpected. "
            "Use a row-level expectation (values of a column, a pair or a list of columns)."
        )
    name = _map_metric(expectation)
    prepared = prepare(expectation)
    kwargs = get_metric_kwargs(f"{name}.condition", prepared.configuration)
    rows = {"row_condition": getattr(prepared, "row_condition", None)}  # GX leaves it out of some metrics
    domain = Domain.of({**kwargs["metric_domain_kwargs"], **rows}, Columns.of(schema))
    return ROW_TESTS[name](domain, kwargs["metric_value_kwargs"]).unexpected


def _map_metric(expectation: Expectation) -> str:
    return getattr(expectation, "map_metric", None) or ""
