"""The transform step: the pipeline's own function, run by Polars' streaming engine."""

import glob
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from tasks.errors import ConfigurationError, PipelineError
from tasks.handover import Extracted, Load, Transformed
from tasks.pipeline import Frames, Pipeline, Table
from tasks.timings import timed_step

log = logging.getLogger(__name__)

# Names that the gate uses, and those that Polars reads as patterns of names.
RESERVED = re.compile(r"__assay_.*|\*|\^.*\$", re.DOTALL)


@timed_step("transform")
def transform_tables(
    pipeline: Pipeline, load: Load, extracted: Sequence[Extracted]
) -> dict[str, Transformed]:
    """Make the tables of the extracted resources; one Parquet file a table in the load's work folder.

    Those of a streamable pipeline were made during the extraction.

    Raises:
        ConfigurationError: The function fails, or does not return what the tables declare.
    """
    if pipeline.streamable:
        return {each.table: each for one in extracted for each in one.transformed}
    frames = {e.resource: pl.scan_parquet(f"{glob.escape(e.frames)}/*.parquet") for e in extracted}
    made = _call(pipeline, frames, pipeline.tables)
    return {table.name: _write(pipeline, table, made[table.name], load) for table in pipeline.tables}


def transform_batch(pipeline: Pipeline, resource: str, records: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Make of some records of a resource their rows of its tables; for a streamable pipeline.

    Raises:
        ConfigurationError: The function fails, or does not return what the tables of this resource declare.
    """
    tables = [table for table in pipeline.tables if table.resource == resource]
    made = _call(pipeline, {resource: records.lazy()}, tables)
    rows = {}
    for table in tables:
        with _explained(pipeline, f"the transform, for table {table.name!r},"):
            _check_columns(pipeline, table, made[table.name].collect_schema())
            rows[table.name] = made[table.name].collect()
    return rows


def _call(pipeline: Pipeline, frames: Frames, tables: Sequence[Table]) -> Frames:
    with _explained(pipeline, "the transform"):
        made = pipeline.transform(frames)
    _check_frames(pipeline, made, tables)
    return made


@contextmanager
def _explained(pipeline: Pipeline, what: str) -> Iterator[None]:
    """Whatever the function's own code raises, at once or when its frames run at last, as one of ours."""
    try:
        yield
    except PipelineError:
        raise
    except (Exception, pl.exceptions.PanicException) as exc:
        raise _fails(pipeline, what, exc) from exc


def _check_frames(pipeline: Pipeline, made: Frames, tables: Sequence[Table]) -> None:
    if not isinstance(made, Mapping):
        raise _wrong(pipeline, f"the transform returns {_kind(made)}, not a dict of LazyFrames by table name")
    declared = {table.name for table in tables}
    missing, unknown = sorted(declared - set(made)), sorted(set(made) - declared, key=str)
    if missing or unknown:
        raise _wrong(
            pipeline,
            f"the transform returns {sorted(made, key=str)}; missing: {missing or 'none'}, "
            f"not declared as tables: {unknown or 'none'}",
        )
    for name, frame in made.items():
        if not isinstance(frame, pl.LazyFrame):
            hint = ": end with .lazy(), or do not collect" if isinstance(frame, pl.DataFrame) else ""
            raise _wrong(
                pipeline, f"the transform returns {_kind(frame)} for table {name!r}, not a LazyFrame{hint}"
            )


def _write(pipeline: Pipeline, table: Table, frame: pl.LazyFrame, load: Load) -> Transformed:
    path = Path(load.work, f"{table.name}.parquet")
    with _explained(pipeline, f"the transform, for table {table.name!r},"):
        _check_columns(pipeline, table, frame.collect_schema())
        frame.sink_parquet(path, compression="lz4", engine="streaming", mkdir=True)
    rows = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    log.info("%s: %d rows transformed", table.name, rows)
    return Transformed(table=table.name, rows=str(path), row_count=rows)


def _check_columns(pipeline: Pipeline, table: Table, schema: pl.Schema) -> None:
    declared = (*table.primary_key, table.version_by, table.tombstone)
    absent = [name for name in declared if name and name not in schema]
    if absent:
        raise _wrong(
            pipeline,
            f"{table.name}: the transform returns no column {', '.join(map(repr, absent))}, declared as "
            f"key, version or tombstone. It returns: {', '.join(schema)}",
        )
    reserved = [name for name in schema if RESERVED.fullmatch(name)]
    if reserved:
        raise _wrong(
            pipeline,
            f"{table.name}: the transform returns columns with reserved names, "
            f"{', '.join(map(repr, reserved))}. Rename them",
        )
    if table.version_by and schema[table.version_by].is_nested():
        raise _wrong(
            pipeline,
            f"{table.name}: version_by {table.version_by!r} is {schema[table.version_by]}, which has no "
            "greatest value. Declare a column of times or numbers",
        )


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"


def _fails(pipeline: Pipeline, what: str, exc: BaseException) -> ConfigurationError:
    hint = ", which is given one resource at a time (streamable=True)," if pipeline.streamable else ""
    about = what.removesuffix(",") + hint if hint else what
    return _wrong(pipeline, f"{about} fails: {type(exc).__name__}: {str(exc).rstrip('. ')}")


def _wrong(pipeline: Pipeline, problem: str) -> ConfigurationError:
    function = getattr(pipeline.transform, "__qualname__", repr(pipeline.transform))
    module = getattr(pipeline.transform, "__module__", "?")
    return ConfigurationError(f"{pipeline.name}: {problem}. Correct {function} in {module}.")
