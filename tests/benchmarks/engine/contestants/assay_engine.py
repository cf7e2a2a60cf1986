"""The engine of this project: a GX suite on a Polars frame in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from expectations.engine import validate_frame
from tests.benchmarks.engine.checks import Check, Verdicts
from tests.benchmarks.engine.contestants.suites import as_suite, read_verdicts


def load(path: Path, columns: list[str]) -> Any:
    return pl.read_parquet(path, columns=columns)


def validate(frame: Any, checks: tuple[Check, ...]) -> Verdicts:
    return read_verdicts(validate_frame(frame, as_suite(checks)), checks)
