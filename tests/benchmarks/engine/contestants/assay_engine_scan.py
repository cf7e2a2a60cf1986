"""The engine of this project on the file itself, streamed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tests.benchmarks.engine.contestants.assay_engine import validate

__all__ = ["load", "validate"]


def load(path: Path, columns: list[str]) -> Any:
    del columns  # the engine reads those that the suite names
    return pl.scan_parquet(path)
