"""Values that a suite names, brought to the type of the column that they meet.

A suite is JSON, so a date is a string in it and a decimal is a float. GX on pandas parses some of these and
fails on others; here each is read as the column's type wherever that has one meaning.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from dateutil.parser import parse  # type: ignore[import-untyped]  # ships no types

_NUMBERS = (int, float, Decimal)


def to_literal(value: Any, dtype: pl.DataType) -> Any:
    """Bring one value to what can be compared with a column of this type; other types pass unchanged.

    Raises:
        ValueError: a string for a temporal column is no date.
        TypeError: a number for a temporal column.
    """
    if value is None:
        return None
    if dtype.is_temporal() and isinstance(value, _NUMBERS):
        raise TypeError(f"{value!r} is a number; the column holds {dtype}.")
    if isinstance(dtype, pl.Datetime):
        return _to_datetime(value, dtype)
    if dtype == pl.Date:
        return _to_date(value)
    if dtype == pl.Time and isinstance(value, str):
        return parse(value).time()
    if dtype.is_decimal() and isinstance(value, (int, float)):
        return Decimal(repr(value + 0))
    return value


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


def is_reversed(low: Any, high: Any) -> bool:
    """Whether two bounds, brought to one type, are in the wrong order; a date is its midnight."""
    if isinstance(low, dt.date) and isinstance(high, dt.date):
        low, high = _as_moment(low), _as_moment(high)
    return bool(low > high)


def _as_moment(value: dt.date) -> dt.datetime:
    return value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())


def is_member(column: pl.Expr, values: Iterable[Any], dtype: pl.DataType) -> pl.Expr:
    """True where the column's value equals one of the values, as Python compares them.

    A value of another kind than the column's never matches, and a null in the set matches nothing: nulls
    are not offered to a set. Null rows give null.
    """
    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        column, dtype = column.cast(pl.String), pl.String()
    wanted = [to_literal(value, dtype) for value in comparable(values, dtype)]
    return _is_in(column, wanted, dtype) if wanted else pl.when(column.is_not_null()).then(statement=False)


def _is_in(column: pl.Expr, values: list[Any], dtype: pl.DataType) -> pl.Expr:
    if dtype.is_numeric() and not dtype.is_decimal():
        # A set that mixes 1 and 1.5 is one of floats, beyond 64 bits one of neither.
        if dtype.is_integer() and all(-(2**63) <= value < 2**63 for value in values):
            return column.is_in(pl.Series([int(value) for value in values], dtype=pl.Int64).implode())
        return column.is_in(pl.Series([float(value) for value in values], dtype=pl.Float64).implode())
    # A decimal series of the column's type would round its values to the column's scale.
    try:
        return column.is_in(pl.Series(values, dtype=None if dtype.is_decimal() else dtype).implode())
    except (TypeError, pl.exceptions.PolarsError):
        return pl.any_horizontal([column == value for value in values])


def comparable(values: Iterable[Any], dtype: pl.DataType) -> list[Any]:
    """Keep the values that a column of this type can hold at all."""
    present = [value for value in values if value is not None and value == value]  # noqa: PLR0124  (drops NaN)
    if dtype == pl.String:
        return [value for value in present if isinstance(value, str)]
    if dtype.is_integer():
        return [value for value in present if isinstance(value, _NUMBERS) and value == value // 1]
    if dtype.is_numeric():
        return [value for value in present if isinstance(value, _NUMBERS)]
    if dtype == pl.Boolean:
        return [bool(value) for value in present if isinstance(value, _NUMBERS) and value in {0, 1}]
    if dtype.is_temporal():
        return [value for value in present if not isinstance(value, _NUMBERS)]
    return present


def as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Write values as Python's `str` does, which is what GX matches patterns and lengths against."""
    if dtype == pl.String:
        return column
    if dtype == pl.Boolean:
        return pl.when(column).then(pl.lit("True")).when(~column).then(pl.lit("False"))
    if isinstance(dtype, pl.Datetime):
        return column.dt.strftime("%Y-%m-%d %H:%M:%S%.f" + ("%:z" if dtype.time_zone else ""))
    return column.cast(pl.String)
