"""Great Expectations as it comes, on pandas: an ephemeral context and a DataFrame asset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd  # type: ignore[import-untyped]  # ships no types

from tests.benchmarks.engine.checks import Check, Verdicts
from tests.benchmarks.engine.contestants.suites import as_suite, read_verdicts


def load(path: Path, columns: list[str]) -> Any:
    return pd.read_parquet(path, columns=columns)


def validate(frame: Any, checks: tuple[Check, ...]) -> Verdicts:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]  # as GX documents it
    batch = (
        context.data_sources.add_pandas("pandas")
        .add_dataframe_asset("flights")
        .add_batch_definition_whole_dataframe("all")
        .get_batch({"dataframe": frame})
    )
    return read_verdicts(batch.validate(as_suite(checks)), checks)
