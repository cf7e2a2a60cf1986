"""Values that a suite names, brought to the type of the column that they meet.

A suite is JSON, so a date is a string in it and a decimal is a float. GX on pandas parses some of these and
fails on others; here each is read as the column's type wherever that has one meaning.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd  # type: ignore[import-untyped]  # ships no types
import polars as pl
from dateutil.parser import parse  # type: ignore[import-untyped]  # ships no types

NUMBERS = (int, float, Decimal)
_TEMPORAL = (dt.date, dt.time, dt.timedelta)
_CATEGORIES = (pl.Categorical, pl.Enum)


def is_text(dtype: pl.DataType) -> bool:
    """Whether values of this type are text; categories are."""
    return isinstance(dtype, (pl.String, *_CATEGORIES))


def as_compared(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Read a column as its values compare.

    Categories are the text they stand for, in its order, not that of their declaration. Milliseconds are
    microseconds: beside a finer unit Polars compares in the coarser one, and cuts off what does not fit.
    """
    if isinstance(dtype, _CATEGORIES):
        return column.cast(pl.String)
    if isinstance(dtype, pl.Datetime) and dtype.time_unit == "ms":
        return column.cast(pl.Datetime("us", dtype.time_zone))
    if isinstance(dtype, pl.Duration) and dtype.time_unit == "ms":
        return column.cast(pl.Duration("us"))
    return column


def to_literal(value: Any, dtype: pl.DataType) -> Any:
    """Bring one value to what can be compared with a column of this type; other types pass unchanged.

    Raises:
        ValueError: a string for a temporal column is none of its kind.
        TypeError: a number for a temporal column, or the reverse.
    """
    if value is None:
        return None
    if dtype.is_temporal() and isinstance(value, NUMBERS):
        raise TypeError(f"{value!r} is a number; the column holds {dtype}.")
    if isinstance(value, _TEMPORAL) and (dtype.is_numeric() or dtype == pl.Boolean):
        raise TypeError(f"{value!r} is no number; the column holds {dtype}.")  # Polars would compare them
    if isinstance(dtype, pl.Datetime):
        return _to_datetime(value, dtype)
    if dtype == pl.Date:
        return _to_date(value)
    if dtype.is_decimal() and isinstance(value, (int, float)):
        return Decimal(repr(value + 0))
    return _to_span(value, dtype) if isinstance(value, str) else value


def _to_span(value: str, dtype: pl.DataType) -> Any:
    if dtype == pl.Time:
        return parse(value).time()
    return pd.Timedelta(value).to_pytimedelta() if isinstance(dtype, pl.Duration) else value


def to_same_kind(value: Any, observed: Any) -> Any:
    """Bring one value to what can be compared with an observed value of a column."""
    dtype = _dtype_of(observed)
    return value if dtype is None else to_literal(value, dtype)


def _dtype_of(observed: Any) -> pl.DataType | None:
    if isinstance(observed, dt.datetime):
        # Where a moment has a zone, text without one is read in it, as for the column.
        return pl.Datetime("us", str(observed.tzinfo) if observed.tzinfo else None)
    kinds: dict[type, pl.DataType] = {
        dt.date: pl.Date(),
        dt.time: pl.Time(),
        dt.timedelta: pl.Duration(),
        Decimal: pl.Decimal(38, 0),
    }
    return kinds.get(type(observed))


def _to_datetime(value: Any, dtype: pl.Datetime) -> Any:
    moment = parse(value) if isinstance(value, str) else value
    if isinstance(moment, dt.date) and not isinstance(moment, dt.datetime):
        moment = dt.datetime.combine(moment, dt.time())
    if not isinstance(moment, dt.datetime):
        return moment
    if dtype.time_zone is None:
        return moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)
    zone = ZoneInfo(dtype.time_zone)
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _to_date(value: Any) -> Any:
    moment = parse(value) if isinstance(value, str) else value
    if isinstance(moment, dt.datetime) and moment.time() == dt.time():
        return moment.date()
    return moment


def as_moment(value: Any) -> Any:
    """Read a value as what compares with others of its kind; other values than dates and moments as they are.

    A date is its midnight. A moment in a zone is in UTC: within one zone Python compares what the clock
    shows, and takes the hour that it shows twice for one.
    """
    if isinstance(value, dt.datetime):
        return value if value.tzinfo is None else value.astimezone(dt.UTC)
    return dt.datetime.combine(value, dt.time()) if isinstance(value, dt.date) else value


def with_offset(value: Any) -> Any:
    """Give a moment its offset for its zone, so that Python tells apart the hour that a clock shows twice."""
    if not isinstance(value, dt.datetime) or (offset := value.utcoffset()) is None:
        return value
    return value.replace(tzinfo=dt.timezone(offset))


def is_reversed(low: Any, high: Any) -> bool:
    """Whether two bounds, brought to one type, are in the wrong order; a date is its midnight."""
    return bool(as_moment(low) > as_moment(high))


def show(value: Any) -> Any:
    """Write what GX's result cannot hold: a duration becomes text, as Polars writes it."""
    if isinstance(value, dt.timedelta):
        return pl.Series([value]).dt.to_string()[0]
    return [show(item) for item in value] if isinstance(value, list) else value


def as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Write values as Python's `str` does, which is what GX matches patterns and lengths against.

    Raises:
        TypeError: values of this type are no text: lists, structs, bytes, durations.
    """
    if dtype == pl.String:
        return column
    if dtype == pl.Boolean:
        return pl.when(column).then(pl.lit("True")).when(~column).then(pl.lit("False"))
    if isinstance(dtype, pl.Datetime):
        return _moment_as_text(column, "%:z" if dtype.time_zone else "")
    if dtype.is_nested() or isinstance(dtype, (pl.Binary, pl.Duration, pl.Object)):
        raise TypeError(f"The column holds {dtype}, which has no text to match or measure.")
    return column.cast(pl.String)


def _moment_as_text(column: pl.Expr, zone: str) -> pl.Expr:
    """As Python does: no fraction where there is none, else six digits, or nine."""
    whole, nanoseconds = "%Y-%m-%d %H:%M:%S", column.dt.nanosecond()
    return (
        pl.when(nanoseconds == 0)
        .then(column.dt.strftime(whole + zone))
        .when(nanoseconds % 1000 == 0)
        .then(column.dt.strftime(whole + "%.6f" + zone))
        .otherwise(column.dt.strftime(whole + "%.9f" + zone))
    )
