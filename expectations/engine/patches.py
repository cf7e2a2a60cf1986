"""Where GX 1.24.1 needs to be told of this engine, or is at fault, applied when the engine is imported.

Each is a method of a GX class in front of which stands one of ours. It answers only where this engine is
among the arguments: validations on pandas, Spark and SQL in the same process stay GX's own, faults included.
A new GX version is a reason to look here first: the import fails when a class no longer looks as expected.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from great_expectations.core.id_dict import IDDict
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.registry import get_expectation_impl
from great_expectations.validator.metric_configuration import MetricConfiguration

from expectations.engine.execution_engine import PolarsExecutionEngine
from expectations.engine.judging import judge_between, judge_most_common, judge_quantiles
from expectations.engine.types import is_of_type

Method = Callable[..., Any]
Judge = Callable[[Any, dict[str, Any]], dict[str, Any]]


def apply_patches() -> None:
    """Apply all; a second time does nothing."""
    _judge("expect_column_values_to_be_of_type", lambda this, of: _judge_type(of, this.column, this.type_))
    _judge("expect_column_values_to_be_in_type_list", _judge_type_list)
    _judge("expect_column_type_to_be", lambda this, of: _judge_type(of, this.column, this.type_))
    _judge("expect_column_most_common_value_to_be_in_set", _judge_most_common)
    _judge("expect_column_quantile_values_to_be_between", _judge_quantiles)
    _stand_before(BatchExpectation, "_validate_metric_value_between", _judge_bounds)
    divergence = get_expectation_impl("expect_column_kl_divergence_to_be_less_than")
    _stand_before(divergence, "_validate", _divide_by_zero_in_silence)
    pairs = get_expectation_impl("expect_column_pair_values_to_be_in_set")
    _stand_before(pairs, "get_validation_dependencies", _obey_row_condition)


def _stand_before(owner: Any, name: str, ours: Method) -> None:
    """Let `ours(original, self, …)` answer where this engine is an argument, GX's own method elsewhere."""
    original = getattr(owner, name, None)
    if original is None:
        raise ImportError(f"{owner.__name__} has no {name}: this GX version is not supported.")
    if hasattr(original, "stands_before"):
        return

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if any(isinstance(value, PolarsExecutionEngine) for value in (*args, *kwargs.values())):
            return ours(original, self, *args, **kwargs)
        return original(self, *args, **kwargs)

    setattr(method, "stands_before", original)  # noqa: B010  (functions take any attribute, mypy none)
    setattr(owner, name, method)


def _judge(expectation_type: str, judge: Judge) -> None:
    """Let metrics of this engine be judged by `judge`: GX's own answer knows pandas', Spark's or SQL's."""

    def validate(original: Method, self: Any, metrics: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        del original, args, kwargs
        return judge(self, metrics)

    _stand_before(get_expectation_impl(expectation_type), "_validate", validate)


def _judge_type_list(expectation: Any, metrics: dict[str, Any]) -> dict[str, Any]:
    return _judge_type(metrics, expectation.column, expectation.type_list)


def _judge_type(metrics: dict[str, Any], column: str, expected: Any) -> dict[str, Any]:
    types: dict[str, pl.DataType] = {entry["name"]: entry["type"] for entry in metrics["table.column_types"]}
    if column not in types:
        raise ValueError(f'Error: The column "{column}" in BatchData does not exist.')
    wanted = [expected] if isinstance(expected, str) else list(expected or [])
    success = expected is None or any(is_of_type(types[column], name) for name in wanted)
    return {"success": success, "result": {"observed_value": str(types[column])}}


def _judge_most_common(expectation: Any, metrics: dict[str, Any]) -> dict[str, Any]:
    found = metrics["column.most_common_value"]
    return judge_most_common(found, expectation.value_set, expectation.ties_okay)


def _judge_quantiles(expectation: Any, metrics: dict[str, Any]) -> dict[str, Any]:
    wanted = expectation.configuration.kwargs["quantile_ranges"]
    return judge_quantiles(metrics["column.quantile_values"], wanted)


def _judge_bounds(
    original: Method, self: Any, metric_name: str, metrics: dict[str, Any], *_: Any, **__: Any
) -> Any:
    """Read the bounds of a minimum, a mean, … as the column's kind: GX fails on a bare date, for one."""
    del original
    return judge_between(metrics.get(metric_name), self._get_success_kwargs())


def _divide_by_zero_in_silence(original: Method, self: Any, *args: Any, **kwargs: Any) -> Any:
    """A column without values has a share of NaN in every bin, which is GX's result, not worth a warning."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return original(self, *args, **kwargs)


def _obey_row_condition(original: Method, self: Any, *args: Any, **kwargs: Any) -> Any:
    """Count the rows that the table's row count is of; GX forgets the row condition of these pairs alone."""
    needed = original(self, *args, **kwargs)
    whole = needed.get_metric_configuration("table.row_count").metric_domain_kwargs
    rows = {key: whole[key] for key in ("row_condition", "condition_parser") if key in whole}
    for metric in list(needed.get_metric_configurations()):
        needed.set_metric_configuration(
            metric.metric_name,
            MetricConfiguration(
                metric_name=metric.metric_name,
                metric_domain_kwargs=IDDict({**metric.metric_domain_kwargs, **rows}),
                metric_value_kwargs=metric.metric_value_kwargs,
            ),
        )
    return needed
