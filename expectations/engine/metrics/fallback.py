"""Metrics that Polars does not compute yet: GX's own pandas version, on the needed columns only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.registry import _registered_metrics

from expectations.engine.batch import PolarsBatchData
from expectations.engine.domain import Domain
from expectations.engine.metrics.registering import ENGINE, is_native, register
from expectations.engine.to_pandas import to_pandas

if TYPE_CHECKING:
    from expectations.engine.execution_engine import PolarsExecutionEngine

logger = logging.getLogger(__name__)

# Made of other metrics alone: GX's function for pandas reads no data.
_OF_METRICS_ALONE = frozenset(
    {"column.unique_proportion", "column.non_null_proportion", "column.descriptive_stats", "column.partition"}
)


def register_fallbacks(engine: type[PolarsExecutionEngine]) -> None:
    """Give every metric that GX has for pandas, and this engine has not, its pandas version."""
    for name, definition in list(_registered_metrics.items()):
        providers = definition["providers"]
        if ENGINE in providers or is_native(name) or "PandasExecutionEngine" not in providers:
            continue
        function = providers["PandasExecutionEngine"][1]
        if function is not None:
            register(name, function if name in _OF_METRICS_ALONE else _provider(name, function), engine)


def _provider(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def provide(
        *, execution_engine: PolarsExecutionEngine, metric_domain_kwargs: Mapping[str, Any], **kwargs: Any
    ) -> Any:
        batch = execution_engine.batch(metric_domain_kwargs)
        domain_kwargs = {key: value for key, value in metric_domain_kwargs.items() if key != "row_condition"}
        return function(
            execution_engine=_pandas_engine(name, batch, metric_domain_kwargs),
            metric_domain_kwargs=domain_kwargs | {"batch_id": "fallback"},
            **kwargs,
        )

    provide.__name__ = f"pandas:{name}"
    return provide


def _pandas_engine(name: str, batch: PolarsBatchData, kwargs: Mapping[str, Any]) -> PandasExecutionEngine:
    """GX's engine on the rows of the row condition and on the target columns, kept with the batch."""
    domain = Domain.of({key: value for key, value in kwargs.items() if key != "ignore_row_if"}, batch.columns)
    key = (domain.targets, str(kwargs.get("row_condition")))
    if key not in batch.pandas:
        logger.debug(
            "%s has no Polars version: computing it on pandas, columns %s.", name, domain.targets or "all"
        )
        frame = batch.lazy if domain.rows is None else batch.lazy.filter(domain.rows)
        engine = PandasExecutionEngine()
        names = domain.targets or batch.columns.names
        engine.load_batch_data("fallback", to_pandas(frame.select(names).collect()))
        batch.pandas[key] = engine
    return batch.pandas[key]
