"""Validations at the same time never see each other's results."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import great_expectations as gx
import polars as pl
import pytest
from great_expectations.core import ExpectationSuite

from expectations.engine import validate_frame
from tests.unit.expectations.engine.frames import gxe

THREADS = 8
RUNS = int(os.environ.get("ASSAY_EXAMPLES", "64"))
SIZES = [5 + i % 23 for i in range(RUNS)]


def make_suite() -> ExpectationSuite:
    return ExpectationSuite(
        name="suite",
        expectations=[
            gxe.ExpectTableRowCountToEqual(value=0),
            gxe.ExpectColumnSumToBeBetween(column="x", max_value=0),
            gxe.ExpectColumnValuesToBeUnique(column="x"),
            gxe.UnexpectedRowsExpectation(unexpected_rows_query="SELECT x FROM {batch} WHERE x > 3"),
        ],
    )


def frame(size: int) -> pl.DataFrame:
    return pl.DataFrame({"x": [*range(size), *range(size)]})


def expected(size: int) -> list[Any]:
    return [2 * size, size * (size - 1), [*range(size), *range(size)], 2 * (size - 4)]


def observed(outcome: Any) -> list[Any]:
    by_type = {result.expectation_config.type: result.result for result in outcome.results}
    return [
        by_type["expect_table_row_count_to_equal"]["observed_value"],
        by_type["expect_column_sum_to_be_between"]["observed_value"],
        by_type["expect_column_values_to_be_unique"]["unexpected_list"],
        by_type["unexpected_rows_expectation"]["observed_value"],
    ]


def through_one_datasource() -> Callable[[int], Any]:
    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_polars("frames").add_dataframe_asset("rows")
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(
            name="rows",
            data=asset.add_batch_definition_whole_dataframe("whole"),
            suite=context.suites.add(make_suite()),
        )
    )
    return lambda size: definition.run(
        batch_parameters={"dataframe": frame(size)}, result_format={"result_format": "COMPLETE"}
    )


def through_validate_frame() -> Callable[[int], Any]:
    suite = make_suite()
    return lambda size: validate_frame(frame(size), suite, result_format="COMPLETE")


@pytest.mark.parametrize("way", [through_one_datasource, through_validate_frame])
def test_each_thread_gets_the_results_of_its_own_frame(way: Callable[[], Callable[[int], Any]]) -> None:
    validate = way()
    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = list(pool.map(lambda size: observed(validate(size)), SIZES))
    assert outcomes == [expected(size) for size in SIZES]
