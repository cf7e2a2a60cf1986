"""Row conditions that need to know the whole column first: how far a value is from the others."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from expectations.engine.domain import RowTest
from expectations.engine.metrics.examples import _REPORTS
from expectations.engine.metrics.registering import Call, metric

NAME = "column_values.z_score.under_threshold"


def declare_z_score_metrics() -> None:
    """Declare the z-score condition and what GX reads of it."""
    metric("column_values.z_score.map")(_z_score)
    metric(f"{NAME}.condition")(_condition)
    for suffix, function in _REPORTS.items():
        if suffix != "filtered_row_count":
            metric(f"{NAME}.{suffix}")(function)


def _z_score(call: Call) -> pl.Expr:
    """Distance from the mean in standard deviations; null if the column has no spread, which GX accepts."""
    mean, deviation = call.metrics["column.mean"], call.metrics["column.standard_deviation"]
    if mean is None or not deviation or math.isnan(deviation):
        return pl.lit(None, dtype=pl.Float64)
    score: pl.Expr = (call.domain.values - mean) / deviation
    return score


def _condition(call: Call) -> RowTest:
    score: pl.Expr = call.metrics["column_values.z_score.map"]
    threshold: Any = call.values["threshold"]
    tested = call.domain.without_nulls()
    meets = score.abs() < abs(threshold) if call.values.get("double_sided") else score < threshold
    return RowTest(tested, tested.restrict(~(meets | score.is_null()).fill_null(value=True)))
