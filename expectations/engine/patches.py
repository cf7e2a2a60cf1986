"""Corrections to GX 1.24.1, applied when the engine is imported.

Each is a method of a GX class that knows only GX's own engines, or a fault on all of them. A new GX version
is a reason to look here first: the import fails when a class no longer looks as expected.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.registry import _registered_metrics, get_expectation_impl

from expectations.engine.execution_engine import PolarsExecutionEngine
from expectations.engine.judging import judge_between, judge_most_common, judge_quantiles
from expectations.engine.types import is_of_type

Validate = Callable[..., Any]
Judge = Callable[[Any, dict[str, Any]], dict[str, Any]]


def apply_patches() -> None:
    """Apply all corrections; a second time does nothing."""
    _teach("expect_column_values_to_be_of_type", lambda this, of: _judge_type(of, this.column, this.type_))
    _teach("expect_column_values_to_be_in_type_list", _judge_type_list)
    _teach("expect_column_type_to_be", lambda this, of: _judge_type(of, this.column, this.type_))
    _teach("expect_column_most_common_value_to_be_in_set", _judge_most_common)
    _teach("expect_column_quantile_values_to_be_between", _judge_quantiles, elsewhere=_with_plain_booleans)
    _teach_bounds()
    _divide_by_zero_in_silence("expect_column_kl_divergence_to_be_less_than")
    _give_pairs_their_row_condition()


def _unchanged(outcome: Any) -> Any:
    return outcome


def _teach(expectation_type: str, judge: Judge, elsewhere: Callable[[Any], Any] = _unchanged) -> None:
    """Let metrics of this engine be judged by `judge`: GX's own answer knows pandas', Spark's or SQL's.

    What it answers for those engines passes through `elsewhere`.
    """
    expectation = get_expectation_impl(expectation_type)
    original = expectation.__dict__.get("_validate")
    if original is None:
        raise ImportError(
            f"{expectation.__name__} has no _validate of its own: this GX version is not supported."
        )

    @functools.wraps(original)
    def validate(
        self: Any, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Any:
        if isinstance(execution_engine, PolarsExecutionEngine):
            return judge(self, metrics)
        return elsewhere(original(self, metrics, runtime_configuration, execution_engine))

    if not hasattr(original, "__wrapped__"):
        setattr(expectation, "_validate", validate)  # noqa: B010  (a private name)


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


def _with_plain_booleans(outcome: Any) -> Any:
    """GX returns numpy.bool for quantiles, which its own result store cannot write, on any engine."""
    outcome["success"] = bool(outcome["success"])
    details = outcome["result"]["details"]
    details["success_details"] = [bool(success) for success in details["success_details"]]
    return outcome


def _teach_bounds() -> None:
    """Read the bounds of a minimum, a mean, … as the column's kind: GX fails on a bare date, for one."""
    original = BatchExpectation._validate_metric_value_between  # noqa: SLF001  (has no public name)

    @functools.wraps(original)
    def validate(
        self: Any,
        metric_name: str,
        metrics: dict[str, Any],
        runtime_configuration: Any = None,
        execution_engine: Any = None,
    ) -> Any:
        if isinstance(execution_engine, PolarsExecutionEngine):
            return judge_between(metrics.get(metric_name), self._get_success_kwargs())
        return original(self, metric_name, metrics, runtime_configuration, execution_engine)

    if not hasattr(original, "__wrapped__"):
        setattr(BatchExpectation, "_validate_metric_value_between", validate)  # noqa: B010  (a private name)


def _divide_by_zero_in_silence(expectation_type: str) -> None:
    """A column without values has a share of NaN in every bin, which is GX's result, not worth a warning."""
    expectation = get_expectation_impl(expectation_type)
    original = expectation.__dict__["_validate"]
    if not hasattr(original, "__wrapped__"):
        silent = np.errstate(divide="ignore", invalid="ignore")
        setattr(expectation, "_validate", functools.wraps(original)(silent(original)))  # noqa: B010  (private)


def _give_pairs_their_row_condition() -> None:
    """Obey the row condition of `expect_column_pair_values_to_be_in_set`, which GX forgets on any engine."""
    for name, definition in _registered_metrics.items():
        keys = definition["metric_domain_keys"]
        if name.startswith("column_pair_values.in_set.") and "row_condition" not in keys:
            definition["metric_domain_keys"] = (*keys, "row_condition", "condition_parser")
