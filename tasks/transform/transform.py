"""The transform step: the pipeline's own function, run by Polars' streaming engine."""

import logging
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tasks.errors import ConfigurationError
from tasks.handover import Extracted, Load, Transformed
from tasks.pipeline import Frames, Pipeline, Table

log = logging.getLogger(__name__)


def transform_tables(
    pipeline: Pipeline, load: Load, extracted: Sequence[Extracted]
) -> dict[str, Transformed]:
    """Make the tables of the extracted resources; one Parquet file a table in the load's work folder.

    Raises:
        ConfigurationError: The function fails, or does not return what the tables declare.
    """
    frames = {e.resource: pl.scan_parquet(f"{e.frames}/*.parquet") for e in extracted}
    try:
        made = pipeline.transform(frames)
    except Exception as exc:
        raise ConfigurationError(_failed(pipeline, exc)) from exc
    _check_names(pipeline, made)
    return {table.name: _write(pipeline, table, made[table.name], load) for table in pipeline.tables}


def _check_names(pipeline: Pipeline, made: Frames) -> None:
    declared = {table.name for table in pipeline.tables}
    missing, unknown = sorted(declared - set(made)), sorted(set(made) - declared)
    if missing or unknown:
        raise ConfigurationError(
            f"{pipeline.name}: the transform returns {sorted(made)}; missing: {missing or 'none'}, "
            f"not declared as tables: {unknown or 'none'}."
        )


def _write(pipeline: Pipeline, table: Table, frame: pl.LazyFrame, load: Load) -> Transformed:
    path = Path(load.work, f"{table.name}.parquet")
    try:
        columns = frame.collect_schema().names()
        absent = [name for name in (*table.primary_key, table.version_by) if name and name not in columns]
        if absent:
            raise ConfigurationError(
                f"{table.name}: the transform returns no column {', '.join(map(repr, absent))}, declared as "
                f"key or version. It returns: {', '.join(columns)}."
            )
        frame.sink_parquet(path, compression="lz4", engine="streaming", mkdir=True)
    except pl.exceptions.PolarsError as exc:
        raise ConfigurationError(_failed(pipeline, exc, table)) from exc
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    log.info("%s: %d rows transformed", table.name, rows)
    return Transformed(table=table.name, rows=str(path), row_count=rows)


def _failed(pipeline: Pipeline, exc: Exception, table: Table | None = None) -> str:
    where = f"{pipeline.name}: the transform fails" + (f" for table {table.name!r}" if table else "")
    return f"{where}: {type(exc).__name__}: {exc}"
