"""Batches as the CSV that COPY reads: what CSV has no form for is written as text first."""

import io
from collections.abc import Mapping
from typing import Literal, cast

import polars as pl

from tasks.eras import has_common_years
from tasks.texts import as_json, as_text, join_items, quote

_SHORTEST = "%F %T%.fZ"
"""Without a fraction that is zero: two thirds of the time, here and in Postgres, which ignores the zone of a
time for a column that has none."""
_ARRAY_ESCAPES: Mapping[str, str] = {"\\": "\\\\", '"': '\\"'}
_FEW = 1 / 4
"""Share of different values up to which it is faster to write each once and to look it up."""


def encode_batch(batch: pl.DataFrame) -> memoryview:
    """A batch as CSV, without a header; null is nothing, and an empty text is quoted.

    Raises:
        ConfigurationError: Postgres has no place for a value.
    """
    others = [_encode(column) for column in batch.get_columns() if _needs_another_form(column.dtype)]
    # Up to PostgreSQL 17 a line that is just \. ends the data; quoted it does not. Nulls stay unquoted.
    style: Literal["non_numeric", "necessary"] = "non_numeric" if batch.width == 1 else "necessary"
    encoded = io.BytesIO()
    batch.with_columns(others).write_csv(
        encoded, include_header=False, quote_style=style, datetime_format=_SHORTEST
    )
    return encoded.getbuffer()


def _needs_another_form(dtype: pl.DataType) -> bool:
    """Whether CSV, or Polars when it writes it, would refuse a column, lose something of it, or be slow."""
    return dtype.is_temporal() or dtype.is_nested() or dtype == pl.Binary


def _encode(column: pl.Series) -> pl.Series:
    match column.dtype:
        case pl.Date() if has_common_years(column):
            return _write_repeated(column, "%F")
        case pl.Datetime(time_unit=unit) if has_common_years(column):
            # CSV holds offsets in minutes, and local mean times had seconds; without a zone it is written in
            # two thirds of the time.
            return _write_repeated(column.to_physical().cast(pl.Datetime(unit)), _SHORTEST)
        case pl.List() | pl.Array():
            return as_json(column) if column.dtype.inner.is_nested() else _as_array(column)
        case pl.Struct():
            return as_json(column)
    return as_text(column)


def _write_repeated(times: pl.Series, form: str) -> pl.Series:
    """Times as text where most of them come again and again, in half the time; the others as they are."""
    if cast(int, times.approx_n_unique()) > times.len() * _FEW:
        return times
    distinct = times.unique().sort()
    return distinct.dt.to_string(form).gather(distinct.search_sorted(times)).alias(times.name)


def _as_array(column: pl.Series) -> pl.Series:
    items = join_items(column, _as_item, null="NULL")
    return pl.select(pl.format("{{{}}}", items)).to_series().set(items.is_null(), None).alias(column.name)


def _as_item(items: pl.Series) -> pl.Series:
    return as_text(items) if items.dtype.is_numeric() else quote(as_text(items), _ARRAY_ESCAPES)
