"""How the values of a field become a column, by the field's type."""

import decimal
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
from msgspec import inspect

from tasks.extract.decoding.instants import since_1970, since_1970_one_by_one
from tasks.pipeline.times import DeclaredTime

Values = Sequence[Any]
Maker = Callable[[str, pl.DataType, Values], pl.Series]
"""Name, dtype, values → column."""

DECIMAL_DIGITS, DECIMAL_SCALE = 38, 12
_DIGITS = decimal.Context(prec=DECIMAL_DIGITS, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
_DTYPES: dict[type[inspect.Type], pl.DataType] = {
    inspect.BoolType: pl.Boolean(),
    inspect.IntType: pl.Int64(),
    inspect.FloatType: pl.Float64(),
    inspect.StrType: pl.String(),
    inspect.DateType: pl.Date(),
    inspect.TimeType: pl.Time(),
    inspect.DecimalType: pl.Decimal(DECIMAL_DIGITS, DECIMAL_SCALE),
    inspect.UUIDType: pl.String(),
    inspect.RawType: pl.String(),
}


def without_null(kind: inspect.Type) -> inspect.Type:
    """The type of a field's values that are not null."""
    if isinstance(kind, inspect.Metadata):
        return without_null(kind.type)
    if isinstance(kind, inspect.UnionType):
        others = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        return without_null(others[0]) if len(others) == 1 else kind
    return kind


def scale_of(kind: inspect.Type) -> int:
    """Digits behind the point of a decimal: those declared by `Meta(extra={"scale": …})`, or 12."""
    if isinstance(kind, inspect.Metadata):
        return int((kind.extra or {}).get("scale", scale_of(kind.type)))
    if isinstance(kind, inspect.UnionType):
        return min(map(scale_of, kind.types))
    return DECIMAL_SCALE


def dtype_of(kind: inspect.Type) -> pl.DataType | None:
    """The dtype of a plain type; None when there is none."""
    if isinstance(kind, inspect.DateTimeType):
        return pl.Datetime("us", "UTC" if kind.tz else None)
    if isinstance(kind, inspect.CustomType):
        return pl.Datetime("us", "UTC") if issubclass(kind.cls, DeclaredTime) else None
    if isinstance(kind, inspect.LiteralType):
        return pl.String() if all(isinstance(value, str) for value in kind.values) else None
    return _DTYPES.get(type(kind))


def make_plain(name: str, dtype: pl.DataType, values: Values) -> pl.Series:
    """A column as Polars makes it."""
    return pl.Series(name, values, dtype=dtype)


def spread(series: pl.Series, values: Values) -> pl.Series:
    """A column of the values that are not None, with null in the place of each that is."""
    if series.len() == len(values):
        return series
    positions = iter(range(series.len()))
    places = [None if value is None else next(positions) for value in values]
    return series.gather(pl.Series(places, dtype=pl.UInt32))


def _make_times(name: str, dtype: pl.DataType, values: Values) -> pl.Series:
    """Microseconds since 1970."""
    if dtype == pl.Datetime("us"):
        return make_plain(name, dtype, values)
    # No time is false, and to see that none is missing takes three fifths of leaving out those that are.
    present = values if all(values) else [value for value in values if value is not None]
    return spread(since_1970(present), values).alias(name)


def _make_declared_times(name: str, _dtype: pl.DataType, values: Values) -> pl.Series:
    """Microseconds since 1970 of times of a class of their own."""
    return since_1970_one_by_one(values).alias(name)


def _make_json(name: str, dtype: pl.DataType, values: Values) -> pl.Series:
    """JSON text; null where the value is, or is missing."""
    texts = [None if value is None else bytes(value).decode() for value in values]
    return pl.Series(name, [None if text in ("", "null") else text for text in texts], dtype=dtype)


def _make_text(name: str, dtype: pl.DataType, values: Values) -> pl.Series:
    return pl.Series(name, [None if value is None else str(value) for value in values], dtype=dtype)


def _make_decimals(name: str, dtype: pl.DataType, values: Values) -> pl.Series:
    """Decimals of the column's scale, which they have but for trailing zeros."""
    assert isinstance(dtype, pl.Decimal)
    unit = decimal.Decimal((0, (1,), -(dtype.scale or 0)))
    # Polars fails on 0E+99 and on 40 zeros behind the point.
    even = [None if value is None else value.quantize(unit, context=_DIGITS) for value in values]
    return pl.Series(name, even, dtype=dtype)


MAKERS: dict[type[inspect.Type], Maker] = {
    inspect.DecimalType: _make_decimals,
    inspect.CustomType: _make_declared_times,
    inspect.DateTimeType: _make_times,
    inspect.RawType: _make_json,
    inspect.UUIDType: _make_text,
}
