"""Row conditions that measure a value against all others: how far it lies from them.

GX computes mean, deviation and quartiles first, as metrics of their own. Here they are part of the condition,
so that it takes one pass, and is a row verdict.
"""

from __future__ import annotations

import math
from typing import Any

import polars as pl
from great_expectations.expectations.metrics.column_aggregate_metrics.column_outlier_statistics import (
    IQR_METHOD,
    OutlierStatistics,
    validate_method,
)

from expectations.engine.collecting import Deferred
from expectations.engine.domain import Domain
from expectations.engine.metrics.aggregates import as_numbers, to_distances, to_numbers, within
from expectations.engine.metrics.registering import Call, metric
from expectations.engine.metrics.row_tests import row_test


@row_test("column_values.z_score.under_threshold")
def _has_low_z_score(domain: Domain, threshold: float, double_sided: bool | None = True) -> pl.Expr:
    """Distance from the mean in standard deviations; a column without spread has none, which GX accepts."""
    others = to_distances(domain, domain.present)
    deviation = others.std(ddof=1)
    has_spread = (deviation != 0) & deviation.is_not_nan()
    score = (to_distances(domain, domain.values) - others.mean()) / pl.when(has_spread).then(deviation)
    is_low = score.abs() < abs(threshold) if double_sided else score < threshold
    return is_low | score.is_null() | score.is_nan()


# A step on GX's way to the condition.
metric("column_values.z_score.map")(lambda _: None)


@row_test("column_values.not_outliers")
def _is_no_outlier(domain: Domain, method: str = IQR_METHOD, multiplier: float | None = 1.5) -> pl.Expr:
    """Inside of Tukey's fences, which belong to it; or nearer to the mean than the threshold."""
    validate_method(method)
    low, high, spread = _references(domain, method)
    reach = (multiplier or 0) * spread
    values = to_numbers(domain, domain.values)
    if method == IQR_METHOD:
        is_near = within(values, low - reach, high + reach)
    else:
        is_near = pl.when(reach <= 0).then(values == low).otherwise((values - low).abs() < reach)
    has_no_references = ~(low.is_finite() & high.is_finite() & spread.is_finite()).fill_null(value=False)
    return has_no_references | is_near


def _references(domain: Domain, method: str) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    values = as_numbers(domain).cast(pl.Float64)
    if method == IQR_METHOD:
        first, third = (values.quantile(q, interpolation="linear") for q in (0.25, 0.75))
        return first, third, third - first
    return values.mean(), values.mean(), values.std(ddof=1)


@metric("column.outlier_statistics")
def _outlier_statistics(call: Call) -> Deferred:
    """The quartiles and their distance, or mean and standard deviation, as the method asks."""
    method = call.values["method"]
    validate_method(method)
    return Deferred(
        pl.concat_list(_references(call.domain, method)),
        lambda found: OutlierStatistics(*(_finite(value) for value in found)),
    )


def _finite(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
