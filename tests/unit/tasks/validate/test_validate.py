"""The step's two ends: what goes to the helper process and what comes back is JSON."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from msgspec import Struct

from tasks.errors import ConfigurationError
from tasks.handover import Extracted, Load, Transformed
from tasks.pipeline import Frames, Incremental, Pipeline, Resource, RestApi, Table
from tasks.validate import validate


class Airline(Struct, frozen=True):
    carrier: str


class JsonHelper:
    """A helper without a process: calls travel as JSON text all the same."""

    def call(self, function: str, /, **arguments: Any) -> Any:
        assert function == "tasks.validate.validate:judge"
        reply = validate.judge(**json.loads(json.dumps(arguments)))
        return json.loads(json.dumps(reply))


def keep(frames: Frames) -> Frames:
    return frames


def make_pipeline(**table: Any) -> Pipeline:
    return Pipeline(
        name="p",
        source=RestApi(base_url="http://127.0.0.1:1"),
        resources=(
            Resource(
                name="airlines",
                path="/",
                record=Airline,
                incremental=Incremental(field="updated_at", param="s"),
            ),
        ),
        transform=keep,
        tables=(Table(**({"name": "airlines", "primary_key": ("carrier",)} | table)),),
    )


def validate_airlines(work: Path, pipeline: Pipeline) -> Any:
    rows = work / "airlines.parquet"
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    frame = pl.DataFrame({"carrier": ["UA", "ua"], "name": ["United", "<b>"], "updated_at": [at, at]})
    frame.write_parquet(rows)
    [table] = pipeline.tables
    load = Load(
        load_id="l", attempt_no=1, pipeline="p", cursors={}, landing="", work=str(work), started_at=at
    )
    extracted = Extracted(resource="airlines", frames="", received=2, decoded=2)
    transformed = {table.name: Transformed(table=table.name, rows=str(rows), row_count=2)}
    return validate.validate_table(pipeline, table, load, transformed, [extracted], JsonHelper())


def test_verdict_survives_the_way_to_the_helper_and_back(tmp_path: Path) -> None:
    verdict = validate_airlines(tmp_path, make_pipeline())
    assert (verdict.verdict, verdict.clean_count, verdict.quarantined) == ("passed", 1, 1)
    assert verdict.cursor == "2026-01-01T00:00:00Z"
    assert any(outcome.state == "quarantined" for outcome in verdict.outcomes)


def test_table_may_name_another_suite(tmp_path: Path) -> None:
    pipeline = make_pipeline(name="carriers", source="airlines", suite="airlines")
    verdict = validate_airlines(tmp_path, pipeline)
    assert (verdict.table, verdict.resource, verdict.outcomes[0].suite) == (
        "carriers",
        "airlines",
        "airlines",
    )


def test_missing_suite_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no suite 'airlin'.*Did you mean 'airlines'"):
        validate_airlines(tmp_path, make_pipeline(suite="airlin"))
