"""Metrics that Polars does not compute yet: GX's own pandas version, on the needed columns only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.registry import _registered_metrics

from expectations.engine.batch import PolarsBatchData, batch_of
from expectations.engine.domain import target_columns
from expectations.engine.metrics.registering import ENGINE, is_native, register
from expectations.engine.row_conditions import parse_row_condition
from expectations.engine.to_pandas import to_pandas

_INDEX = "index of the row"

logger = logging.getLogger(__name__)

# Made of other metrics alone: GX's function for pandas reads no data.
_OF_METRICS_ALONE = frozenset(
    {"column.unique_proportion", "column.non_null_proportion", "column.descriptive_stats", "column.partition"}
)


def register_fallbacks(engine: type[ExecutionEngine[Any]]) -> None:
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
        *, execution_engine: ExecutionEngine[Any], metric_domain_kwargs: Mapping[str, Any], **kwargs: Any
    ) -> Any:
        batch = batch_of(execution_engine, metric_domain_kwargs)
        columns = _needed_columns(name, batch, metric_domain_kwargs, kwargs.get("metric_value_kwargs") or {})
        logger.debug("%s has no Polars version: computing it on pandas, columns %s.", name, columns)
        domain_kwargs = {key: value for key, value in metric_domain_kwargs.items() if key != "row_condition"}
        return function(
            execution_engine=_pandas_engine(batch, metric_domain_kwargs, columns),
            metric_domain_kwargs=domain_kwargs | {"batch_id": "fallback"},
            **kwargs,
        )

    provide.__name__ = f"pandas:{name}"
    return provide


def _needed_columns(
    name: str, batch: PolarsBatchData, domain_kwargs: Mapping[str, Any], value_kwargs: Mapping[str, Any]
) -> tuple[str, ...]:
    """The target columns, and those that a report names: the columns of a key, or whole rows."""
    targets = target_columns(domain_kwargs)
    if not targets or name.endswith(".unexpected_rows"):
        return tuple(batch.columns.names)
    result_format = value_kwargs.get("result_format")
    keys = result_format.get("unexpected_index_column_names") if isinstance(result_format, dict) else None
    known = [key for key in keys or () if key in batch.columns]
    return tuple(dict.fromkeys([*targets, *known]))


def _pandas_engine(
    batch: PolarsBatchData, kwargs: Mapping[str, Any], columns: tuple[str, ...]
) -> PandasExecutionEngine:
    """GX's engine on these columns and the rows of the row condition, kept with the batch.

    The index is the position in the whole frame, as it is for GX on pandas.
    """
    key = (columns, str(kwargs.get("row_condition")))
    if key not in batch.pandas:
        rows = parse_row_condition(kwargs.get("row_condition"), batch.columns)
        frame = batch.lazy.with_columns(pl.int_range(pl.len()).alias(_INDEX))
        frame = frame if rows is None else frame.filter(rows)
        table = to_pandas(frame.select(*columns, _INDEX).collect()).set_index(_INDEX)
        engine = PandasExecutionEngine()
        engine.load_batch_data("fallback", table.rename_axis(None))
        batch.pandas[key] = engine
    return batch.pandas[key]
