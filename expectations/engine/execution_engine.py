"""GX's execution engine on Polars."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import polars as pl
from great_expectations.core.batch import BatchMarkers
from great_expectations.core.batch_spec import RuntimeDataBatchSpec
from great_expectations.core.id_dict import BatchSpec
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.exceptions.exceptions import (
    BatchSpecError,
    ExecutionEngineError,
    MetricResolutionError,
)
from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.expectations.registry import get_metric_provider
from great_expectations.expectations.row_conditions import Condition
from great_expectations.validator.metric_configuration import MetricConfiguration

from expectations.engine.answering import answer
from expectations.engine.batch import PolarsBatchData, batch_of
from expectations.engine.collecting import Deferred, Examples, Failure
from expectations.engine.domain import Domain
from expectations.engine.metrics import register_metrics
from expectations.engine.row_conditions import parse_row_condition

Metrics = dict[Any, Any]


class PolarsExecutionEngine(ExecutionEngine[pl.Expr]):
    """Computes GX metrics on a `pl.DataFrame` or `pl.LazyFrame`.

    GX resolves a graph of metrics and offers those that are not resolved yet again and again. This engine
    answers in three rounds: what needs no data at once; then all counts and aggregates in one collect; then
    examples, only for the tests that failed. Metrics are kept with the batch they are of, not in the engine.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        register_metrics(PolarsExecutionEngine)
        super().__init__(*args, **{**kwargs, "caching": False})

    # ---- batches

    def load_batch_data(self, batch_id: str, batch_data: Any) -> None:
        """Take a frame, or batch data of this engine.

        Raises:
            ExecutionEngineError: anything else.
        """
        if isinstance(batch_data, (pl.DataFrame, pl.LazyFrame)):
            batch_data = PolarsBatchData(self, batch_data)
        if not isinstance(batch_data, PolarsBatchData):
            raise ExecutionEngineError(
                f"PolarsExecutionEngine needs a Polars frame, not {type(batch_data).__name__}."
            )
        super().load_batch_data(batch_id=batch_id, batch_data=batch_data)

    def get_batch_data_and_markers(self, batch_spec: BatchSpec) -> tuple[PolarsBatchData, BatchMarkers]:
        """Make batch data of the frame in a `RuntimeDataBatchSpec`; the frame leaves the spec."""
        if not isinstance(batch_spec, RuntimeDataBatchSpec):
            raise BatchSpecError(f"PolarsExecutionEngine reads frames, not {type(batch_spec).__name__}.")
        frame = batch_spec.batch_data
        batch_spec.batch_data = "PolarsDataFrame"
        loaded_at = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        return PolarsBatchData(self, frame), BatchMarkers({"ge_load_time": loaded_at})

    def batch(self, domain_kwargs: Mapping[str, Any]) -> PolarsBatchData:
        """The batch that a metric is about: the one it names, else the one loaded last."""
        return batch_of(self, domain_kwargs)

    # ---- domains, for metrics that are written against GX's interface

    def get_domain_records(self, domain_kwargs: dict[str, Any]) -> pl.LazyFrame:
        """The rows of a domain, all columns, NaN as null."""
        batch = self.batch(domain_kwargs)
        rows = Domain.of(domain_kwargs, batch.columns).rows
        frame = batch.lazy if rows is None else batch.lazy.filter(rows)
        return frame.with_columns(batch.columns.expr(name) for name in batch.columns.names)

    def get_compute_domain(
        self,
        domain_kwargs: dict[str, Any],
        domain_type: str | MetricDomainTypes,
        accessor_keys: Iterable[str] | None = None,
    ) -> tuple[pl.LazyFrame, dict[str, Any], dict[str, Any]]:
        """The rows of a domain, with the domain kwargs split as GX splits them."""
        split = self._partition_domain_kwargs(dict(domain_kwargs), domain_type, accessor_keys)
        return self.get_domain_records(domain_kwargs), split.compute, split.accessor

    def condition_to_filter_clause(self, condition: Condition) -> pl.Expr:
        """A GX row condition on the batch loaded last, as an expression."""
        return (
            pl.lit(value=True)
            if (rows := parse_row_condition(condition, self.batch({}).columns)) is None
            else rows
        )

    _comparison_condition_to_filter_clause = condition_to_filter_clause
    _nullity_condition_to_filter_clause = condition_to_filter_clause
    _and_condition_to_filter_clause = condition_to_filter_clause
    _or_condition_to_filter_clause = condition_to_filter_clause

    def resolve_metric_bundle(self, metric_fn_bundle: Any) -> dict[Any, Any]:
        """Nothing is bundled GX's way here; see `resolve_metrics`."""
        del metric_fn_bundle
        return {}

    # ---- metrics

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: Metrics | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> Metrics:
        """Resolve as many of these metrics as one step allows; the rest is offered again by GX.

        Raises:
            MetricResolutionError: only failing metrics are left; it names one of them.
        """
        outcomes = {
            config: self._evaluate(config, metrics or {}, runtime_configuration)
            for config in metrics_to_resolve
        }
        if not outcomes:
            return metrics or {}
        values = {c.id: value for c, value in outcomes.items() if not isinstance(value, (Deferred, Failure))}
        if not values:
            values = self._collect({c: value for c, value in outcomes.items() if isinstance(value, Deferred)})
        if not values:
            self._raise_first(outcomes)
        return values

    def _evaluate(self, config: MetricConfiguration, metrics: Metrics, runtime: dict[str, Any] | None) -> Any:
        """Value, `Deferred` or `Failure` of a metric."""
        batch = self.batch(config.metric_domain_kwargs)
        if config.id not in batch.resolved:
            outcome = self._call_provider(config, metrics, runtime)
            if isinstance(outcome, Deferred):
                return _without_need(outcome, batch)
            batch.resolved[config.id] = outcome
        return batch.resolved[config.id]

    def _call_provider(
        self, config: MetricConfiguration, metrics: Metrics, runtime: dict[str, Any] | None
    ) -> Any:
        try:
            metric_class, provider = get_metric_provider(config.metric_name, self)
            return provider(
                cls=metric_class,
                execution_engine=self,
                metric_domain_kwargs=config.metric_domain_kwargs,
                metric_value_kwargs=config.metric_value_kwargs,
                metrics=self._get_computed_metric_evaluation_dependencies_by_metric_name(config, metrics),
                runtime_configuration=runtime,
            )
        except Exception as exc:  # noqa: BLE001  (a failing metric is a result: GX reports it with its expectation)
            return Failure(exc)

    def _collect(self, waiting: dict[MetricConfiguration, Deferred]) -> Metrics:
        """Compute counts and aggregates in one pass, or the examples if nothing else is waiting."""
        now = {c: metric for c, metric in waiting.items() if not isinstance(metric, Examples)} or waiting
        values: Metrics = {}
        for batch in {id(b): b for b in (self.batch(c.metric_domain_kwargs) for c in now)}.values():
            of_batch = {c: m for c, m in now.items() if self.batch(c.metric_domain_kwargs) is batch}
            for config, value in answer(batch, of_batch).items():
                batch.resolved[config.id] = value
                if not isinstance(value, Failure):
                    values[config.id] = value
        return values

    def _raise_first(self, outcomes: dict[MetricConfiguration, Any]) -> NoReturn:
        for config in outcomes:
            failure = self.batch(config.metric_domain_kwargs).resolved.get(config.id)
            if isinstance(failure, Failure):
                error = failure.error
                raise MetricResolutionError(message=str(error), failed_metrics=(config,)) from error
        raise ExecutionEngineError("No metric was left to resolve.")


def _without_need(metric: Deferred, batch: PolarsBatchData) -> Any:
    """Spare the search for examples when the count is known to be zero, or could not be taken."""
    if not isinstance(metric, Examples) or metric.test not in batch.counts:
        return metric
    count = batch.counts[metric.test]
    if isinstance(count, Failure):
        return count
    return metric.nothing if count == 0 else metric
