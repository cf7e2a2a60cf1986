"""How a metric of this engine is written and made known to GX.

GX's decorators refuse an engine they do not know, but its registry takes one by the name of the class. The
metric classes are GX's own: they say what a metric depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from great_expectations.core.metric_function_types import MetricFunctionTypes
from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.expectations import metrics as _core_metrics  # noqa: F401  (fills GX's registry)
from great_expectations.expectations.registry import _registered_metrics, register_metric

from expectations.engine.batch import PolarsBatchData, batch_of
from expectations.engine.collecting import Deferred
from expectations.engine.domain import Domain

ENGINE = "PolarsExecutionEngine"
_OTHER_ENGINES = ("PandasExecutionEngine", "SparkDFExecutionEngine", "SqlAlchemyExecutionEngine")


@dataclass(frozen=True)
class Call:
    """What a metric is asked: on which batch, about which rows and columns, with which values.

    Attributes:
        batch: the frame and what is known of it.
        domain_kwargs: GX's description of rows and columns.
        values: the metric's arguments.
        metrics: the metrics that it depends on, by name.
    """

    batch: PolarsBatchData
    domain_kwargs: Mapping[str, Any]
    values: Mapping[str, Any]
    metrics: Mapping[str, Any]

    @property
    def domain(self) -> Domain:
        """The rows and columns asked about."""
        return Domain.of(self.domain_kwargs, self.batch.columns)


Metric = Callable[[Call], Any]
_METRICS: dict[str, Metric] = {}


def metric(name: str) -> Callable[[Metric], Metric]:
    """Declare a metric: a function of the call that returns its value, or a `Deferred`."""

    def declare(function: Metric) -> Metric:
        _METRICS[name] = function
        return function

    return declare


def aggregate(name: str, *, finish: Callable[[Any], Any] | None = None) -> Callable[..., Any]:
    """Declare a metric of one column: a function of its `Domain` and arguments that gives one expression."""

    def declare(function: Callable[..., pl.Expr]) -> Callable[..., pl.Expr]:
        def compute(call: Call) -> Deferred:
            expr = function(call.domain, **call.values)
            return Deferred(expr) if finish is None else Deferred(expr, finish)

        _METRICS[name] = compute
        return function

    return declare


def is_registered(name: str) -> bool:
    """Whether GX knows a metric of this name for any engine."""
    return name in _registered_metrics


def is_native(name: str) -> bool:
    """Whether a metric is computed by Polars."""
    return name in _METRICS


def declared_metrics() -> frozenset[str]:
    """Names of all metrics that are declared so far."""
    return frozenset(_METRICS)


def register_all(engine: type[ExecutionEngine[Any]]) -> None:
    """Make the declared metrics known to GX; a second time does nothing."""
    for name, function in _METRICS.items():
        if ENGINE not in _registered_metrics[name]["providers"]:
            metric_class = _WithoutTable(_metric_class(_registered_metrics[name]))
            register(name, _provider(name, function), engine, metric_class)


def register(
    name: str, provider: Callable[..., Any], engine: type[ExecutionEngine[Any]], metric_class: Any = None
) -> None:
    """Register a provider under a metric that GX has for another engine, by default with that one's class."""
    definition = _registered_metrics[name]
    register_metric(
        metric_name=name,
        metric_domain_keys=definition["metric_domain_keys"],
        metric_value_keys=definition["metric_value_keys"],
        execution_engine=engine,
        metric_class=metric_class or _metric_class(definition),
        metric_provider=provider,
        metric_fn_type=MetricFunctionTypes.VALUE,
    )


def register_declared(
    name: str,
    engine: type[ExecutionEngine[Any]],
    metric_class: Any,
    domain_keys: tuple[str, ...],
    value_keys: tuple[str, ...],
) -> None:
    """Register a declared metric that GX may not have for any engine; where it has one, its keys hold."""
    definition = _registered_metrics.get(name, {})
    register_metric(
        metric_name=name,
        metric_domain_keys=definition.get("metric_domain_keys", domain_keys),
        metric_value_keys=definition.get("metric_value_keys", value_keys),
        execution_engine=engine,
        metric_class=_WithoutTable(metric_class),  # type: ignore[arg-type]  # it answers as one
        metric_provider=_provider(name, _METRICS[name]),
        metric_fn_type=MetricFunctionTypes.VALUE,
    )


class _WithoutTable:
    """GX's metric class, less what it wants to know of the table first: row count, columns and their types.

    The engine knows these from the schema. With the row count as a dependency of every condition, a LazyFrame
    would have to be read once for it before anything else is counted.
    """

    def __init__(self, metric_class: Any) -> None:
        self._metric_class = metric_class

    def __getattr__(self, name: str) -> Any:
        return getattr(self._metric_class, name)

    def get_evaluation_dependencies(self, metric: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """GX's dependencies of a metric, by name; none of a condition: its expression holds all it needs."""
        if metric.metric_name.endswith(".condition"):
            return {}
        dependencies = self._metric_class.get_evaluation_dependencies(metric, *args, **kwargs)
        return {name: metric for name, metric in dependencies.items() if not name.startswith("table.")}


def _metric_class(definition: Mapping[str, Any]) -> Any:
    providers = definition["providers"]
    return next(providers[name][0] for name in _OTHER_ENGINES if name in providers)


def _provider(name: str, function: Metric) -> Callable[..., Any]:
    def provide(
        *,
        execution_engine: ExecutionEngine[Any],
        metric_domain_kwargs: Mapping[str, Any],
        metric_value_kwargs: Mapping[str, Any] | None,
        metrics: Mapping[str, Any],
        **_: Any,
    ) -> Any:
        batch = batch_of(execution_engine, metric_domain_kwargs)
        return function(Call(batch, metric_domain_kwargs, metric_value_kwargs or {}, metrics))

    provide.__name__ = f"polars:{name}"
    return provide
