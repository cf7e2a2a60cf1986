"""Batches as the CSV that COPY reads: what CSV has no form for is written as text first."""

from collections.abc import Mapping
from typing import Literal

import polars as pl

from tasks.eras import has_common_years
from tasks.texts import as_json, as_text, join_items, quote

_SHORTEST = "%F %T%.fZ"
"""Without a fraction that is zero: two thirds of the time, here and in Postgres, which ignores the zone of a
time for a column that has none."""
_ARRAY_ESCAPES: Mapping[str, str] = {"\\": "\\\\", '"': '\\"'}


def encode_batch(batch: pl.DataFrame) -> bytes:
    """A batch as CSV, without a header; null is nothing, and an empty text is quoted.

    Raises:
        ConfigurationError: Postgres has no place for a value.
    """
    others = [_encode(column) for column in batch.get_columns() if _needs_another_form(column)]
    # Up to PostgreSQL 17 a line that is just \. ends the data; quoted it does not. Nulls stay unquoted.
    style: Literal["non_numeric", "necessary"] = "non_numeric" if batch.width == 1 else "necessary"
    encoded = batch.with_columns(others).write_csv(
        include_header=False, quote_style=style, datetime_format=_SHORTEST
    )
    return encoded.encode()


def _needs_another_form(column: pl.Series) -> bool:
    """Whether CSV, or Polars when it writes it, would refuse the column, lose something of it, or be slow."""
    match column.dtype:
        case pl.Time() | pl.Duration() | pl.Binary():
            return True
        case pl.Datetime(time_zone=zone):
            return zone is not None or not has_common_years(column)
        case pl.Date():
            return not has_common_years(column)
    return column.dtype.is_nested()


def _encode(column: pl.Series) -> pl.Series:
    match column.dtype:
        case pl.Datetime() if has_common_years(column):
            # CSV holds offsets in minutes, and local mean times had seconds; without a zone it is written in
            # two thirds of the time.
            return column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        case pl.List() | pl.Array():
            return as_json(column) if column.dtype.inner.is_nested() else _as_array(column)
        case pl.Struct():
            return as_json(column)
    return as_text(column)


def _as_array(column: pl.Series) -> pl.Series:
    items = join_items(column, _as_item, null="NULL")
    return pl.select(pl.format("{{{}}}", items)).to_series().set(items.is_null(), None).alias(column.name)


def _as_item(items: pl.Series) -> pl.Series:
    return as_text(items) if items.dtype.is_numeric() else quote(as_text(items), _ARRAY_ESCAPES)
