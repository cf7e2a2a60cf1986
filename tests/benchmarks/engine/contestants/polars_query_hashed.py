"""The hand-written query with the engine's own trick: uniqueness by sorted hashes."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.engine.checks import Check, Verdicts
from tests.benchmarks.engine.contestants import polars_query
from tests.benchmarks.engine.contestants.polars_query import load

__all__ = ["load", "validate"]


def validate(frame: Any, checks: tuple[Check, ...]) -> Verdicts:
    return polars_query.validate(frame, checks, by_hash=True)
