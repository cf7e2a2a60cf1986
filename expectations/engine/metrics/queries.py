"""Metrics that are queries in SQL, answered by Polars over the frame: `SELECT … FROM {batch} WHERE …`."""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping
from typing import Any

import polars as pl
from great_expectations.constants import MAX_RESULT_RECORDS
from great_expectations.expectations.metrics.query_metric_provider import QueryMetricProvider

from expectations.engine.batch import PolarsBatchData
from expectations.engine.collecting import Engine
from expectations.engine.errors import QueryError
from expectations.engine.metrics.registering import Call, Metric, metric

TABLE = "batch"
Records = list[dict[str, Any]]

# A query that changes tables returns rows too, and one that drops them none: it would pass.
_READS = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:SELECT|WITH|FROM|VALUES|TABLE)\b", re.IGNORECASE | re.DOTALL
)

_counts: weakref.WeakKeyDictionary[PolarsBatchData, dict[Any, int]] = weakref.WeakKeyDictionary()


def run_query(query: str, tables: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Plan a query over tables.

    Raises:
        QueryError: it does not only read, or Polars does not accept it.
    """
    if not _READS.match(query):
        raise QueryError(query, "It must read: begin with SELECT or WITH.")
    try:
        found = pl.SQLContext(frames=dict(tables)).execute(query, eager=False)
        found.collect_schema()
    except pl.exceptions.PolarsError as exc:
        raise QueryError(query, _explain(exc, tables)) from exc
    return found


def read_records(
    query: str, tables: Mapping[str, pl.LazyFrame], engine: Engine, limit: int | None = MAX_RESULT_RECORDS
) -> Records:
    """The first rows of a query's answer."""
    found = run_query(query, tables)
    schema = found.collect_schema()
    durations = [name for name, dtype in schema.items() if isinstance(dtype, pl.Duration)]
    shown = (
        found.with_columns(pl.col(durations).dt.to_string()) if durations else found
    )  # GX cannot write one
    return _collect(query, shown if limit is None else shown.head(limit), tables, engine).to_dicts()


def _count(call: Call, query: str) -> int:
    """Number of rows of the answer, counted once for each batch and query."""
    counts = _counts.setdefault(call.batch, {})
    key = (query, str(call.domain_kwargs.get("row_condition")))
    if key not in counts:
        tables = _tables(call)
        plan = run_query(query, tables).select(pl.len())
        counts[key] = int(_collect(query, plan, tables, call.batch.collect_engine).item())
    return counts[key]


def _collect(
    query: str, plan: pl.LazyFrame, tables: Mapping[str, pl.LazyFrame], engine: Engine
) -> pl.DataFrame:
    try:
        return plan.collect(engine=engine)
    except pl.exceptions.PolarsError as exc:
        raise QueryError(query, _explain(exc, tables)) from exc


def _explain(exc: Exception, tables: Mapping[str, pl.LazyFrame]) -> str:
    problem = str(exc).split("\n\n", maxsplit=1)[0].strip().removesuffix(".")
    if "relation" in problem and "not found" in problem:
        return f"{problem}. It can read {', '.join(sorted(tables))} ({{batch}} is the batch)."
    return f"{problem}."


def _tables(call: Call) -> dict[str, pl.LazyFrame]:
    """The rows of the row condition, NaN as null."""
    columns, rows = call.batch.columns, call.domain.rows
    floats = [columns.expr(name) for name, dtype in columns.schema.items() if dtype.is_float()]
    frame = call.batch.lazy if rows is None else call.batch.lazy.filter(rows)
    return {TABLE: frame.with_columns(floats) if floats else frame}


def _read(call: Call, name: str, **parameters: Any) -> str:
    """The query that an argument holds, placeholders filled in as GX does."""
    query = call.values.get(name)
    if not isinstance(query, str) or not query.strip():
        raise QueryError(str(query), f"{name} must be a query in SQL.")
    formatted: str = QueryMetricProvider._format_query(query, batch=TABLE, **parameters)  # noqa: SLF001  (GX's own words)
    return formatted


def _records(call: Call, query: str, limit: int | None = MAX_RESULT_RECORDS) -> Records:
    return read_records(query, _tables(call), call.batch.collect_engine, limit)


def _row_count(name: str) -> Metric:
    return lambda call: _count(call, _read(call, name))


def _table(name: str) -> Metric:
    return lambda call: _records(
        call, _read(call, name), None if call.values.get("fetch_all") else MAX_RESULT_RECORDS
    )


metric("query.row_count")(_row_count("query"))
metric("query.table")(_table("query"))
metric("base_query.table")(_table("base_query"))
metric("unexpected_rows_query.row_count")(_row_count("unexpected_rows_query"))


@metric("unexpected_rows_query.table")
def _unexpected_rows(call: Call) -> Records:
    """The rows are looked for only if there are any."""
    query = _read(call, "unexpected_rows_query")
    return _records(call, query) if _count(call, query) else []


@metric("query.column")
def _column(call: Call) -> Records:
    column = call.values["column"]
    return _records(call, _read(call, "query", column=column, col=column))


@metric("query.column_pair")
def _column_pair(call: Call) -> Records:
    names = {key: call.values[key] for key in ("column_A", "column_B")}
    return _records(call, _read(call, "query", **names))


@metric("query.multiple_columns")
def _multiple_columns(call: Call) -> Records:
    names = {f"col_{i}": name for i, name in enumerate(call.values["columns"], 1)}
    return _records(call, _read(call, "query", **names))


@metric("query.template_values")
def _template_values(call: Call) -> Records:
    values = {name: str(value).format(batch=TABLE) for name, value in call.values["template_dict"].items()}
    return _records(call, _read(call, "query", **values))
