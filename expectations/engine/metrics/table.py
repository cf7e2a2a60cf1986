"""Metrics of the table as a whole."""

from __future__ import annotations

from typing import Any

import polars as pl

from expectations.engine.collecting import Deferred
from expectations.engine.metrics.registering import Call, metric
from expectations.engine.to_pandas import to_pandas


@metric("table.columns")
def _columns(call: Call) -> list[str]:
    return call.batch.columns.names


@metric("table.column_count")
def _column_count(call: Call) -> int:
    return len(call.batch.columns.names)


@metric("table.column_types")
def _column_types(call: Call) -> list[dict[str, Any]]:
    return [{"name": name, "type": dtype} for name, dtype in call.batch.columns.schema.items()]


@metric("table.row_count")
def _row_count(call: Call) -> Any:
    domain = call.domain
    if domain.rows is None and isinstance(call.batch.frame, pl.DataFrame):
        return call.batch.frame.height
    return Deferred(domain.count())


@metric("table.head")
def _head(call: Call) -> Any:
    rows, n_rows = call.domain.rows, call.values.get("n_rows", 5)
    frame = call.batch.lazy if rows is None else call.batch.lazy.filter(rows)
    if call.values.get("fetch_all"):
        return to_pandas(frame.collect())
    return to_pandas(frame.head(n_rows).collect() if n_rows >= 0 else frame.collect().head(n_rows))
