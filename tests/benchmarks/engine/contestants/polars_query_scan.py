"""The hand-written Polars query on the file itself, streamed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tests.benchmarks.engine.contestants.polars_query import validate

__all__ = ["load", "validate"]


def load(path: Path, columns: list[str]) -> Any:
    del columns  # the query reads those that it names
    return pl.scan_parquet(path)
