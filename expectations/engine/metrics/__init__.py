"""The metrics that the engine computes, and how they reach GX's registry."""

from __future__ import annotations

import threading
from typing import Any

from great_expectations.execution_engine.execution_engine import ExecutionEngine

from expectations.engine.metrics import (
    aggregates,
    column_tests,
    distinct,
    multicolumn_tests,
    other_sources,
    queries,
    samples,
    spread_tests,
    table,
    text_tests,
)
from expectations.engine.metrics.examples import declare_row_test_metrics
from expectations.engine.metrics.fallback import register_fallbacks
from expectations.engine.metrics.registering import register_all

__all__ = [
    "aggregates",
    "column_tests",
    "distinct",
    "multicolumn_tests",
    "other_sources",
    "queries",
    "register_metrics",
    "samples",
    "spread_tests",
    "table",
    "text_tests",
]

_lock = threading.Lock()

declare_row_test_metrics()


def register_metrics(engine: type[ExecutionEngine[Any]]) -> None:
    """Make GX find every metric for this engine: those of Polars, and pandas for what GX gained since."""
    with _lock:
        register_all(engine)
        register_fallbacks(engine)
