"""Corrections to GX 1.24.1, applied when the engine is imported.

Each is a method of a GX class that knows only GX's own engines, or a fault on all of them. A new GX version
is a reason to look here first: the import fails when a class no longer looks as expected.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import polars as pl
from great_expectations.expectations.registry import _registered_metrics, get_expectation_impl

from expectations.engine.execution_engine import PolarsExecutionEngine
from expectations.engine.types import is_of_type

Validate = Callable[..., Any]


def apply_patches() -> None:
    """Apply all corrections; a second time does nothing."""
    _teach_type("expect_column_values_to_be_of_type", "type_")
    _teach_type("expect_column_values_to_be_in_type_list", "type_list")
    _teach_type("expect_column_type_to_be", "type_")
    _replace_validate("expect_column_quantile_values_to_be_between", _with_plain_booleans)
    _give_pairs_their_row_condition()


def _replace_validate(expectation_type: str, wrap: Callable[[Validate], Validate]) -> None:
    expectation = get_expectation_impl(expectation_type)
    original = expectation.__dict__.get("_validate")
    if original is None:
        raise ImportError(
            f"{expectation.__name__} has no _validate of its own: this GX version is not supported."
        )
    if not hasattr(original, "__wrapped__"):
        setattr(expectation, "_validate", functools.wraps(original)(wrap(original)))  # noqa: B010  (a private name)


def _teach_type(expectation_type: str, argument: str) -> None:
    """Answer questions of type for a Polars column; GX's answer for an unknown engine is None."""

    def wrap(original: Validate) -> Validate:
        def validate(
            self: Any,
            metrics: dict[str, Any],
            runtime_configuration: Any = None,
            execution_engine: Any = None,
        ) -> Any:
            if not isinstance(execution_engine, PolarsExecutionEngine):
                return original(self, metrics, runtime_configuration, execution_engine)
            return _judge_type(metrics, self.column, getattr(self, argument))

        return validate

    _replace_validate(expectation_type, wrap)


def _judge_type(metrics: dict[str, Any], column: str, expected: Any) -> dict[str, Any]:
    types: dict[str, pl.DataType] = {entry["name"]: entry["type"] for entry in metrics["table.column_types"]}
    if column not in types:
        raise ValueError(f'Error: The column "{column}" in BatchData does not exist.')
    wanted = [expected] if isinstance(expected, str) else list(expected or [])
    success = expected is None or any(is_of_type(types[column], name) for name in wanted)
    return {"success": success, "result": {"observed_value": str(types[column])}}


def _with_plain_booleans(original: Validate) -> Validate:
    """GX returns numpy.bool for quantiles, which its own result store cannot write, on any engine."""

    def validate(*args: Any, **kwargs: Any) -> Any:
        outcome = original(*args, **kwargs)
        outcome["success"] = bool(outcome["success"])
        details = outcome["result"]["details"]
        details["success_details"] = [bool(success) for success in details["success_details"]]
        return outcome

    return validate


def _give_pairs_their_row_condition() -> None:
    """Obey the row condition of `expect_column_pair_values_to_be_in_set`, which GX forgets on any engine."""
    for name, definition in _registered_metrics.items():
        keys = definition["metric_domain_keys"]
        if name.startswith("column_pair_values.in_set.") and "row_condition" not in keys:
            definition["metric_domain_keys"] = (*keys, "row_condition", "condition_parser")
