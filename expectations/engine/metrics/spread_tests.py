"""Row conditions that need to know the whole column first: how far a value lies from the others."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import polars as pl
from great_expectations.expectations.metrics.column_aggregate_metrics.column_outlier_statistics import (
    IQR_METHOD,
    OutlierStatistics,
    validate_method,
)

from expectations.engine.collecting import Deferred
from expectations.engine.domain import RowTest, everywhere
from expectations.engine.metrics.aggregates import as_numbers, within
from expectations.engine.metrics.examples import declare_reports
from expectations.engine.metrics.registering import Call, metric

_STATISTICS = "column.outlier_statistics"


def declare_spread_metrics() -> None:
    """Declare the conditions on distance, and what GX reads of them."""
    metric("column_values.z_score.map")(_z_score)
    metric("column_values.z_score.under_threshold.condition")(_condition(_has_low_z_score))
    metric("column_values.not_outliers.condition")(_condition(_is_no_outlier))
    declare_reports("column_values.z_score.under_threshold")
    declare_reports("column_values.not_outliers")


def _condition(meets: Callable[[Call], pl.Expr]) -> Callable[[Call], RowTest]:
    def test(call: Call) -> RowTest:
        tested = call.domain.without_nulls()
        return RowTest(tested, tested.restrict(~meets(call).fill_null(value=False)))

    return test


def _z_score(call: Call) -> pl.Expr:
    """Distance from the mean in standard deviations; null if the column has no spread, which GX accepts."""
    mean, deviation = _finite(call.metrics["column.mean"]), _finite(call.metrics["column.standard_deviation"])
    if mean is None or not deviation:
        return pl.lit(None, dtype=pl.Float64)
    score: pl.Expr = (call.domain.values - mean) / deviation
    return score


def _has_low_z_score(call: Call) -> pl.Expr:
    score: pl.Expr = call.metrics["column_values.z_score.map"]
    threshold = call.values["threshold"]
    is_low: pl.Expr = score.abs() < abs(threshold) if call.values.get("double_sided") else score < threshold
    return is_low | score.is_null()


@metric(_STATISTICS)
def _outlier_statistics(call: Call) -> Deferred:
    """The quartiles and their distance, or mean and standard deviation, as the method asks."""
    method = call.values["method"]
    validate_method(method)
    values = as_numbers(call.domain)
    if method == IQR_METHOD:
        quartiles = [values.quantile(q, interpolation="linear") for q in (0.25, 0.75)]
        return Deferred(pl.concat_list(quartiles), lambda found: _between_quartiles(*found))
    moments = [values.mean(), values.std(ddof=1)]
    return Deferred(
        pl.concat_list(moments),
        lambda found: OutlierStatistics.symmetric(*(_finite(value) for value in found)),
    )


def _between_quartiles(first: float | None, third: float | None) -> OutlierStatistics:
    low, high = _finite(first), _finite(third)
    return OutlierStatistics(low, high, None if low is None or high is None else high - low)


def _finite(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _is_no_outlier(call: Call) -> pl.Expr:
    """Inside of Tukey's fences, which belong to it; or nearer to the mean than the threshold."""
    low, high, spread = call.metrics[_STATISTICS]
    if low is None or high is None or spread is None:
        return everywhere(verdict=True)
    reach: float = (call.values.get("multiplier") or 0) * spread
    values = call.domain.values
    if call.values.get("method") == IQR_METHOD:
        return within(values, low - reach, high + reach)
    if reach <= 0:
        return within(values, low, low)
    is_near: pl.Expr = (values - low).abs() < reach
    return is_near
