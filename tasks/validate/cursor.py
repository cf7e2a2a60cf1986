"""The cursor of a table's clean rows: how far the next increment may begin."""

import datetime as dt
from pathlib import Path

import polars as pl

from tasks.cursors import show_cursor


def carries_cursor(rows: pl.Schema, field: str | None, cap: str | None = None) -> bool:
    """Whether a table has its resource's cursor: the column of that name, holding what the cursor is.

    A cursor of times or dates is capped, one of whole numbers is not.
    """
    dtype = rows.get(field) if field is not None else None
    if isinstance(dtype, (pl.Date, pl.Datetime)):
        return True
    return cap is None and dtype is not None and dtype.is_integer()


def greatest_cursor(rows: Path, field: str, cap: str | None) -> str | None:
    """The greatest value that is not later than the cap, as the ledger keeps it; None without any.

    A later value counts for nothing: as the cap itself it would skip what changes until then.
    """
    frame, column = pl.scan_parquet(rows, glob=False), pl.col(field)
    dtype = frame.collect_schema()[field]
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        column = column.dt.convert_time_zone("UTC")
    if cap is not None:
        column = column.filter(column <= _limit(cap, dtype))
    found = frame.select(column.max()).collect(engine="streaming").item()
    return None if found is None else show_cursor(found)


def _limit(cap: str, dtype: pl.DataType) -> dt.date:
    moment = dt.datetime.fromisoformat(cap).astimezone(dt.UTC)
    if isinstance(dtype, pl.Datetime):
        return moment if dtype.time_zone else moment.replace(tzinfo=None)
    return moment.date()
