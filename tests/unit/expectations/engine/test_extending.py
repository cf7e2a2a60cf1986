"""Conditions and aggregates of one's own: results, row verdicts, arguments, and what is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from great_expectations.core import ExpectationSuite
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import (
    ColumnAggregateExpectation,
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)
from great_expectations.expectations.row_conditions import Column

from expectations.engine import (
    column_aggregate,
    column_condition,
    column_pair_condition,
    is_row_level,
    multicolumn_condition,
    unexpected_rows_expr,
    validate_frame,
)
from tests.unit.expectations.engine.oracle import differences, raised, validate_on_pandas

FRAME = pl.DataFrame({"n": [1, 2, None, 4, 9], "m": [1, 3, 5, 3, 10], "g": ["x", "x", "x", "y", "y"]})


class OfPandas(ColumnMapMetricProvider):
    """The same on pandas, as GX documents it: the oracle."""

    condition_metric_name = "column_values.multiple_of"
    condition_value_keys = ("divisor",)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: Any, divisor: int, **_: Any) -> Any:  # noqa: N805  (GX calls it with the class)
        return column % divisor == 0


@column_condition("column_values.multiple_of")
def is_multiple(column: pl.Expr, *, divisor: int = 1) -> pl.Expr:
    return column % divisor == 0


class ExpectMultiples(ColumnMapExpectation):
    map_metric = "column_values.multiple_of"
    success_keys = ("divisor", "mostly")
    divisor: int = 2


@column_condition("column_values.near_the_mean")
def is_near_the_mean(column: pl.Expr, *, within: float) -> pl.Expr:
    return (column - column.mean()).abs() <= within


class ExpectNearTheMean(ColumnMapExpectation):
    map_metric = "column_values.near_the_mean"
    success_keys = ("within", "mostly")
    within: float


@column_condition("column_values.filled", tests_nulls=True)
def is_filled(column: pl.Expr) -> pl.Expr:
    return column.is_not_null()


class ExpectFilled(ColumnMapExpectation):
    map_metric = "column_values.filled"


@column_pair_condition("column_pair_values.within")
def is_within(column_a: pl.Expr, column_b: pl.Expr, *, distance: int) -> pl.Expr:
    return (column_a - column_b).abs() <= distance


class ExpectPairsWithin(ColumnPairMapExpectation):
    map_metric = "column_pair_values.within"
    success_keys = ("distance", "mostly")
    distance: int


@multicolumn_condition("multicolumn_values.rising")
def is_rising(*columns: pl.Expr) -> pl.Expr:
    return pl.all_horizontal(left <= right for left, right in pairwise(columns))


class ExpectRising(MulticolumnMapExpectation):
    map_metric = "multicolumn_values.rising"


@column_aggregate("column.range")
def spread(column: pl.Expr) -> pl.Expr:
    return column.max() - column.min()


class ExpectColumnRangeToBeAtMost(ColumnAggregateExpectation):
    metric_dependencies = ("column.range",)
    success_keys = ("limit",)
    limit: float

    def _validate(self, metrics: Any, *_: Any, **__: Any) -> Any:
        return {
            "success": metrics["column.range"] <= self.limit,
            "result": {"observed_value": metrics["column.range"]},
        }


@column_condition("column_values.broken")
def is_broken(column: pl.Expr) -> pl.Expr:
    del column
    return True  # type: ignore[return-value]  # what a user may forget


class ExpectBroken(ColumnMapExpectation):
    map_metric = "column_values.broken"


def validate(expectation: Any, frame: pl.DataFrame | pl.LazyFrame = FRAME) -> Any:
    suite = ExpectationSuite(name="suite", expectations=[expectation])
    return validate_frame(frame, suite, result_format="COMPLETE").results[0]


IN_X = Column("g") == "x"
CASES = [
    (ExpectMultiples(column="n"), [True, False, False, False, True]),
    (
        ExpectMultiples(column="n", divisor=4, row_condition=IN_X, mostly=0.2),
        [True, True, False, False, False],
    ),
    (ExpectNearTheMean(column="m", within=1, row_condition=IN_X), [True, False, True, False, False]),
    (ExpectFilled(column="n"), [False, False, True, False, False]),
    (
        ExpectPairsWithin(column_A="n", column_B="m", distance=0),
        [False, True, True, True, True],
    ),
    (
        ExpectRising(column_list=["n", "m"]),
        [False, False, True, True, False],
    ),
]


@pytest.mark.parametrize(("expectation", "unexpected"), CASES, ids=lambda case: type(case).__name__)
def test_results_and_row_verdicts_agree(expectation: Any, unexpected: list[bool]) -> None:
    result = validate(expectation, FRAME.lazy())
    assert not raised(result)
    assert result.result["unexpected_count"] == sum(unexpected)
    assert result.result["unexpected_index_list"] == [i for i, hit in enumerate(unexpected) if hit]
    assert is_row_level(expectation)
    verdict = FRAME.select(unexpected_rows_expr(expectation, FRAME)).to_series()
    assert verdict.to_list() == unexpected


@pytest.mark.parametrize("result_format", ["BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"])
def test_results_are_those_of_the_same_on_pandas(result_format: str) -> None:
    expectation = ExpectMultiples(column="m", divisor=3, row_condition=IN_X)
    suite = ExpectationSuite(name="suite", expectations=[expectation])
    [ours] = validate_frame(FRAME, suite, result_format=result_format).results
    assert differences(ours, validate_on_pandas(FRAME, expectation, result_format)) == []


def test_an_aggregate_sees_the_rows_of_the_condition_without_nulls() -> None:
    assert validate(ExpectColumnRangeToBeAtMost(column="n", limit=8)).result == {"observed_value": 8}
    assert not validate(ExpectColumnRangeToBeAtMost(column="n", limit=7)).success
    assert validate(ExpectColumnRangeToBeAtMost(column="n", limit=1, row_condition=IN_X)).success


def test_what_is_no_expression_is_an_error() -> None:
    result = validate(ExpectBroken(column="n"))
    assert "is_broken must return a Polars expression, not bool: True." in str(result.exception_info)


def test_a_missing_column_is_an_error() -> None:
    assert 'The column "nope" in BatchData does not exist' in str(
        validate(ExpectMultiples(column="nope")).exception_info
    )


@pytest.mark.parametrize(
    ("declare", "name"), [(column_condition, "column_values.between"), (column_aggregate, "column.max")]
)
def test_the_engine_s_own_metrics_cannot_be_replaced(declare: Any, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        declare(name)


def test_declared_again_the_last_one_counts() -> None:
    for limit in (1, 2):
        column_condition("column_values.small")(lambda column, limit=limit: column <= limit)

    class ExpectSmall(ColumnMapExpectation):
        map_metric = "column_values.small"

    assert validate(ExpectSmall(column="n")).result["unexpected_count"] == 2
