"""An expectation of one's own, written for pandas as GX documents it, works without a Polars version."""

from __future__ import annotations

import logging
from typing import Any

import polars as pl
import pytest
from great_expectations.core import ExpectationSuite
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)
from great_expectations.expectations.row_conditions import Column

from expectations.engine import NotRowLevelError, is_row_level, unexpected_rows_expr, validate_frame
from tests.unit.expectations.engine.frames import MIXED
from tests.unit.expectations.engine.oracle import differences, validate_on_pandas


class ColumnValuesAreEven(ColumnMapMetricProvider):
    condition_metric_name = "column_values.are_even"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: Any, **_: Any) -> Any:  # noqa: N805  (GX calls it with the class)
        return column % 2 == 0


class ExpectColumnValuesToBeEven(ColumnMapExpectation):
    map_metric = "column_values.are_even"


EXPECTATION = ExpectColumnValuesToBeEven(column="j", row_condition=Column("g") == "x", mostly=0.1)


@pytest.mark.parametrize("keys", [[], ["s"]], ids=["positions", "keys"])
def test_its_results_are_those_of_gx_on_pandas(keys: list[str]) -> None:
    result_format = (
        {"result_format": "COMPLETE", "unexpected_index_column_names": keys} if keys else "COMPLETE"
    )
    suite = ExpectationSuite(name="suite", expectations=[EXPECTATION])
    [result] = validate_frame(MIXED.lazy(), suite, result_format=result_format).results
    assert result.success
    assert differences(result, validate_on_pandas(MIXED, EXPECTATION, result_format)) == []


def test_it_reads_its_own_column_alone_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: pl.Series) -> pl.Series:
        raise AssertionError("another column was read")

    secret = pl.lit(1).map_batches(fail, return_dtype=pl.Int64, is_elementwise=True).alias("secret")
    frame = MIXED.lazy().select("j", "g", secret)
    with caplog.at_level(logging.DEBUG, "expectations.engine"):
        suite = ExpectationSuite(name="suite", expectations=[EXPECTATION])
        [result] = validate_frame(frame, suite).results
    assert result.success
    assert "are_even.condition has no Polars version: computing it on pandas, columns ('j',)" in caplog.text


def test_it_has_no_row_verdict() -> None:
    assert not is_row_level(EXPECTATION)
    with pytest.raises(NotRowLevelError):
        unexpected_rows_expr(EXPECTATION, MIXED)
