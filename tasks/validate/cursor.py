"""The cursor of a table's clean rows: how far the next increment may begin."""

import datetime as dt
from pathlib import Path

import polars as pl


def carries_cursor(rows: pl.Schema, field: str | None) -> bool:
    """Whether a table has its resource's cursor: the column of that name, holding times or dates."""
    return field is not None and isinstance(rows.get(field), (pl.Date, pl.Datetime))


def greatest_cursor(rows: Path, field: str, cap: str | None) -> str | None:
    """The greatest value that is not later than the cap, ISO 8601; None without any.

    A later value counts for nothing: as the cap itself it would skip what changes until then.
    """
    frame, column = pl.scan_parquet(rows, glob=False), pl.col(field)
    dtype = frame.collect_schema()[field]
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        column = column.dt.convert_time_zone("UTC")
    if cap is not None:
        column = column.filter(column <= _limit(cap, dtype))
    found = frame.select(column.max()).collect(engine="streaming").item()
    return None if found is None else str(found.isoformat())


def _limit(cap: str, dtype: pl.DataType) -> dt.date:
    moment = dt.datetime.fromisoformat(cap).astimezone(dt.UTC)
    if isinstance(dtype, pl.Datetime):
        return moment if dtype.time_zone else moment.replace(tzinfo=None)
    return moment.date()
