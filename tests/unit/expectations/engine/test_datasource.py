"""The engine inside of GX: data source, validation definition, checkpoint, Data Docs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import great_expectations as gx
import polars as pl
import pytest
from great_expectations.checkpoint.actions import UpdateDataDocsAction
from great_expectations.core import ExpectationSuite
from great_expectations.exceptions.exceptions import BuildBatchRequestError

from expectations.engine import PolarsDatasource, validate_frame
from tests.unit.expectations.engine.frames import MIXED, aggregates, gxe, row_level
from tests.unit.expectations.engine.oracle import differences


def suite(*expectations: Any) -> ExpectationSuite:
    return ExpectationSuite(name="suite", expectations=expectations)


def identify(result: Any) -> str:
    config = result.expectation_config
    return str(config.type) + repr({key: value for key, value in config.kwargs.items() if key != "batch_id"})


def add_checkpoint(context: Any, suite: ExpectationSuite) -> Any:
    asset = context.data_sources.add_polars("frames").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("whole")
    definition = gx.ValidationDefinition(name="rows", data=batch, suite=context.suites.add(suite))
    checkpoint = gx.Checkpoint(
        name="rows",
        validation_definitions=[context.validation_definitions.add(definition)],
        actions=[UpdateDataDocsAction(name="pages")],
        result_format="COMPLETE",
    )
    return context.checkpoints.add(checkpoint)


def results(outcome: Any) -> list[Any]:
    [run] = outcome.run_results.values()
    return list(run.results)


@pytest.fixture
def context(tmp_path: Path) -> Any:
    context: Any = gx.get_context(mode="file", project_root_dir=tmp_path)
    context.variables.progress_bars = {"globally": False}
    return context


def test_a_checkpoint_gives_the_results_of_validate_frame(context: Any) -> None:
    alone = validate_frame(MIXED, suite(*row_level(), *aggregates()), result_format="COMPLETE")
    expected = {identify(result): result for result in alone.results}
    checkpoint = add_checkpoint(context, suite(*row_level(), *aggregates()))
    for result in results(checkpoint.run(batch_parameters={"dataframe": MIXED})):
        assert differences(result, expected[identify(result)]) == []


def test_a_second_run_sees_the_second_frame(context: Any) -> None:
    checkpoint = add_checkpoint(context, suite(gxe.ExpectColumnValuesToBeUnique(column="j")))
    for frame, count in [(MIXED, 5), (MIXED.head(3), 0), (MIXED.head(4).lazy(), 2)]:
        [result] = results(checkpoint.run(batch_parameters={"dataframe": frame}))
        assert result.result["unexpected_count"] == count


def test_data_docs_are_built(context: Any, tmp_path: Path) -> None:
    checkpoint = add_checkpoint(context, suite(*row_level(), *aggregates()))
    checkpoint.run(batch_parameters={"dataframe": MIXED})
    pages = {page.name for page in tmp_path.rglob("*.html")}
    assert {"index.html", "suite.html", "frames-rows.html"} <= pages


def test_a_stored_data_source_is_found_again(context: Any, tmp_path: Path) -> None:
    add_checkpoint(context, suite(gxe.ExpectTableRowCountToEqual(value=8)))
    again: Any = gx.get_context(mode="file", project_root_dir=tmp_path)
    assert isinstance(again.data_sources.get("frames"), PolarsDatasource)
    assert again.checkpoints.get("rows").run(batch_parameters={"dataframe": MIXED}).success


@pytest.mark.parametrize("options", [None, {}, {"dataframe": [1]}, {"frame": pl.DataFrame()}])
def test_anything_but_a_frame_is_refused(context: Any, options: Any) -> None:
    asset = context.data_sources.add_polars("frames").add_dataframe_asset("rows")
    with pytest.raises(BuildBatchRequestError, match="a Polars frame"):
        asset.build_batch_request(options)
