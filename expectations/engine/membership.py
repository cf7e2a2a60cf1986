"""Whether a column's value is in a set that a suite names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Context, Decimal
from typing import Any

import polars as pl

from expectations.engine.literals import NUMBERS, as_compared, to_literal

_DIGITS = 38  # of a decimal at most
_EXACT = Context(prec=2 * _DIGITS)

_KINDS: dict[type[pl.DataType], tuple[type, ...]] = {
    pl.Binary: (bytes,),
    pl.List: (list, tuple),
    pl.Array: (list, tuple),
    pl.Struct: (dict,),
    pl.Time: (dt.time, str),
    pl.Duration: (dt.timedelta, str),
    pl.Date: (dt.date, str),
    pl.Datetime: (dt.date, str),
}


def is_member(column: pl.Expr, values: Iterable[Any], dtype: pl.DataType, *, strict: bool = False) -> pl.Expr:
    """True where the column's value equals one of the values, as Python compares them.

    A value of another kind than the column's never matches, and a null in the set matches nothing: nulls
    are not offered to a set. Null rows give null.

    Args:
        column: what is looked for in the set.
        values: the set, as the suite has it.
        dtype: the column's type.
        strict: refuse text that is no date, time or duration where the column holds these; else it matches
            nothing. For a set of forbidden values, where a misspelt one would let rows pass.

    Raises:
        ValueError: such text.
    """
    column = as_compared(column, dtype)
    wanted = [
        literal for value in _comparable(values, dtype) for literal in _literals(value, dtype, strict=strict)
    ]
    if not wanted:
        return pl.when(column.is_not_null()).then(statement=False)
    return _is_in(column, wanted, dtype)


def _comparable(values: Iterable[Any], dtype: pl.DataType) -> list[Any]:
    """Keep the values that a column of this type can hold at all."""
    present = [value for value in values if value is not None and value == value]  # noqa: PLR0124  (drops NaN)
    if isinstance(dtype, (pl.String, pl.Categorical, pl.Enum)):
        return [value for value in present if isinstance(value, str)]
    if dtype.is_numeric():
        return [value for value in present if isinstance(value, NUMBERS)]
    if dtype == pl.Boolean:
        return [bool(value) for value in present if isinstance(value, NUMBERS) and value in {0, 1}]
    kinds = _KINDS.get(type(dtype))
    return present if kinds is None else [value for value in present if isinstance(value, kinds)]


def _literals(value: Any, dtype: pl.DataType, *, strict: bool) -> list[Any]:
    """The value as the column's type has it; none where it has no such value."""
    if dtype.is_integer():
        return [int(value)] if value == value // 1 and _fits(int(value), dtype) else []
    try:
        literal = to_literal(value, dtype)
    except ValueError:
        if strict:
            raise
        return []
    return [literal] if _is_held(literal, dtype) else []


def _fits(value: int, dtype: pl.DataType) -> bool:
    name = str(dtype)
    bits = int(name.lstrip("UInt"))
    low, high = (0, 1 << bits) if name.startswith("U") else (-(1 << bits - 1), 1 << bits - 1)
    return low <= value < high


def _is_held(value: Any, dtype: pl.DataType) -> bool:
    """Whether a column of this type can hold exactly this value: a series would round it."""
    if isinstance(dtype, pl.Decimal):
        digits = (dtype.precision or _DIGITS) - dtype.scale  # before the point
        if not value.is_finite() or (value and value.adjusted() >= digits):
            return False
        return bool(value == _EXACT.quantize(value, Decimal(1).scaleb(-dtype.scale)))
    return not (isinstance(dtype, pl.Date) and isinstance(value, dt.datetime))


def _is_in(column: pl.Expr, values: list[Any], dtype: pl.DataType) -> pl.Expr:
    if dtype.is_nested() or dtype == pl.Binary:
        return pl.any_horizontal([column == pl.lit(pl.Series([value], dtype=dtype)) for value in values])
    common = _common_type(dtype)
    column = column if common == dtype else column.cast(common)
    return column.is_in(pl.Series(values, dtype=common, strict=not dtype.is_float()).implode())


def _common_type(dtype: pl.DataType) -> pl.DataType:
    """A type that holds the column's values and those of the set, none of them rounded."""
    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        return pl.String()
    if dtype.is_float():
        return pl.Float64()  # a set that holds 0.1 does not hold the 32 bits nearest to it
    if isinstance(dtype, pl.Datetime) and dtype.time_unit == "ms":
        return pl.Datetime("us", dtype.time_zone)
    if isinstance(dtype, pl.Duration) and dtype.time_unit == "ms":
        return pl.Duration("us")
    return dtype
