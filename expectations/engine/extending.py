"""Conditions and aggregates of one's own, for expectations of one's own.

Each is a function of Polars expressions under the name of a metric, which an expectation names as GX
documents it: `map_metric` of a `ColumnMapExpectation`, `metric_dependencies` of a
`ColumnAggregateExpectation`. Keyword-only arguments of the function are the expectation's of that name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import polars as pl
from great_expectations.expectations.metrics.column_aggregate_metric_provider import (
    ColumnAggregateMetricProvider,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)
from great_expectations.expectations.metrics.map_metric_provider.column_pair_map_metric_provider import (
    ColumnPairMapMetricProvider,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_map_metric_provider import (
    MulticolumnMapMetricProvider,
)

from expectations.engine.domain import Domain
from expectations.engine.execution_engine import PolarsExecutionEngine
from expectations.engine.metrics.examples import declare_row_test
from expectations.engine.metrics.registering import aggregate, declared_metrics, register_declared
from expectations.engine.metrics.row_tests import row_test

Function = TypeVar("Function", bound=Callable[..., pl.Expr])

_BUILT_IN = declared_metrics()
_COUNTS = ("condition", "unexpected_count")
_REPORTS = ("unexpected_values", "unexpected_rows", "unexpected_index_list", "unexpected_index_query")


def column_condition(name: str, *, tests_nulls: bool = False) -> Callable[[Function], Function]:
    """Declare what holds for a good value of one column, as `map_metric` of a `ColumnMapExpectation`.

    The function gets the column: as long as the frame, null outside of the row condition, NaN as null. A row
    is unexpected where its answer is not true. Nulls are left out unless `tests_nulls`.
    """
    return _condition(name, ColumnMapMetricProvider, "unexpected_value_counts", tests_nulls=tests_nulls)


def column_pair_condition(name: str) -> Callable[[Function], Function]:
    """Declare what holds for two columns, as `map_metric` of a `ColumnPairMapExpectation`."""
    return _condition(name, ColumnPairMapMetricProvider, "filtered_row_count")


def multicolumn_condition(name: str) -> Callable[[Function], Function]:
    """Declare what holds for several columns (`*columns`), for a `MulticolumnMapExpectation`."""
    return _condition(name, MulticolumnMapMetricProvider, "filtered_row_count")


def column_aggregate(name: str) -> Callable[[Function], Function]:
    """Declare one value of a column, as in `metric_dependencies` of a `ColumnAggregateExpectation`.

    The function gets the column, only rows of the row condition, without nulls and NaN.
    """
    _refuse_built_in(name)

    def declare(function: Function) -> Function:
        def compute(domain: Domain, **values: Any) -> pl.Expr:
            return _call(function, [domain.present], values)

        aggregate(name)(compute)
        keys = ColumnAggregateMetricProvider.domain_keys
        register_declared(
            name, PolarsExecutionEngine, ColumnAggregateMetricProvider, keys, _arguments(function)
        )
        return function

    return declare


def _condition(
    name: str, kind: Any, own_report: str, *, tests_nulls: bool = False
) -> Callable[[Function], Function]:
    _refuse_built_in(f"{name}.condition")

    def declare(function: Function) -> Function:
        def meets(domain: Domain, **values: Any) -> pl.Expr:
            return _call(function, domain.masked_targets(), values)

        row_test(name, tests_nulls=tests_nulls)(meets)
        suffixes = (*_COUNTS, *_REPORTS, own_report)
        declare_row_test(name, suffixes)
        arguments = _arguments(function)
        for suffix in suffixes:
            keys = arguments if suffix in _COUNTS else (*arguments, "result_format")
            register_declared(
                f"{name}.{suffix}", PolarsExecutionEngine, kind, kind.condition_domain_keys, keys
            )
        return function

    return declare


def _refuse_built_in(name: str) -> None:
    if name in _BUILT_IN:
        raise ValueError(f"The engine has a metric {name!r} of its own. Give yours another name.")


def _arguments(function: Callable[..., Any]) -> tuple[str, ...]:
    parameters = inspect.signature(function).parameters.values()
    return tuple(parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY)


def _call(function: Callable[..., Any], columns: list[pl.Expr], values: Mapping[str, Any]) -> pl.Expr:
    """GX hands over None for what the expectation does not say: the function's default holds then."""
    given = {key: value for key, value in values.items() if value is not None}
    found = function(*columns, **given)
    if not isinstance(found, pl.Expr):
        raise TypeError(
            f"{function.__name__} must return a Polars expression, not {type(found).__name__}: {found!r}."
        )
    return found
