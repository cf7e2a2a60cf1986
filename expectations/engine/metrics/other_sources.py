"""Queries to another datasource of the context, to compare a batch with."""

from __future__ import annotations

from typing import Any

import polars as pl
from great_expectations.data_context.data_context.context_factory import project_manager
from great_expectations.exceptions.exceptions import DataContextRequiredError
from great_expectations.expectations.registry import get_metric_provider

from expectations.engine.errors import QueryError
from expectations.engine.metrics.queries import Records, read_records
from expectations.engine.metrics.registering import Call, Metric, metric


def _query_of(metric_name: str, prefix: str) -> Metric:
    def read(call: Call) -> Records:
        query, source_name = call.values[f"{prefix}query"], call.values[f"{prefix}data_source_name"]
        source = _find(query, source_name)
        if source.type == "polars":
            return read_records(query, _tables(source), "streaming")
        engine = source.get_execution_engine()
        if not hasattr(engine, "execute_query"):
            raise QueryError(query, f"Data source {source_name!r} ({source.type}) answers no queries in SQL.")
        metric_class, provider = get_metric_provider(metric_name, engine)
        records: Records = provider(
            cls=metric_class,
            execution_engine=engine,
            metric_domain_kwargs={},
            metric_value_kwargs=dict(call.values),
            metrics={},
            runtime_configuration={},
        )
        return records

    return read


def _find(query: str, name: str) -> Any:
    try:
        sources = project_manager.get_datasources()
    except DataContextRequiredError as exc:
        raise QueryError(
            query,
            f"There is no GX context, so no data source {name!r}: make one with gx.get_context().",
        ) from exc
    if name not in sources:
        raise QueryError(
            query, f"There is no data source {name!r}. There are: {', '.join(sources) or 'none'}."
        )
    return sources[name]


def _tables(source: Any) -> dict[str, pl.LazyFrame]:
    """The files of a Polars datasource, by name of their asset; those with batch parameters are left out."""
    files = [asset for asset in source.assets if asset.type != "dataframe"]
    for asset in files:
        asset._datasource = source  # noqa: SLF001  (as GX does when it hands an asset out)
    return {asset.name: asset.read({}) for asset in files if not asset.get_batch_parameters_keys()}


metric("query.data_source_table")(_query_of("query.data_source_table", ""))
metric("comparison_query.data_source_table")(_query_of("comparison_query.data_source_table", "comparison_"))
