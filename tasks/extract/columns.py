"""Columns of a record type: which dtype each field has, and what a stored value may be."""

import datetime as dt
import decimal
import functools
import types
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
import polars as pl
from msgspec import Meta, Struct, inspect

from tasks.errors import ConfigurationError

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC) - _EPOCH
_LATEST = dt.datetime.max.replace(tzinfo=dt.UTC) - _EPOCH
_LEAST, _GREATEST = -(2**63), 2**63 - 1
_DECIMAL = pl.Decimal(38, 12)

_SUSPECT = (b"0001-01-01T", b"9999-12-31T")
"""A page without these, and without an escaped NUL, needs no look at every value."""

Values = Sequence[Any]


class Column(Struct, frozen=True):
    """One field as a column: `series` makes it from the field's values."""

    name: str
    dtype: pl.DataType
    series: Callable[[Values], pl.Series]


class Columns:
    """A record type as a frame: one column a field, in the order and with the names of the type."""

    def __init__(self, resource: str, record: type[Struct]) -> None:
        """Derive the columns.

        Raises:
            ConfigurationError: A field's type has no column type.
        """
        self.record = tighten(record)
        info = inspect.type_info(self.record)
        assert isinstance(info, inspect.StructType)
        self._columns = [_column_of(resource, field) for field in info.fields]
        self.schema = pl.Schema({column.name: column.dtype for column in self._columns})
        self.keys = {field.encode_name for field in info.fields}
        self._json_names = [field.encode_name for field in info.fields]
        self._has_decimals = any(isinstance(dtype, pl.Decimal) for dtype in self.schema.values())

    def make_chunk(self, rows: Sequence[Struct]) -> pl.DataFrame:
        """Some records as a piece of a frame, to be joined; 2,000 at a time fit the processor's cache."""
        if not rows:
            return self.join([])
        values = zip(*map(msgspec.structs.astuple, rows), strict=True)
        return pl.DataFrame([column.series(each) for column, each in zip(self._columns, values, strict=True)])

    def join(self, chunks: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """The chunks as one frame, one row a record, in order."""
        return pl.concat(chunks).cast(self.schema) if chunks else self.schema.to_frame()

    def is_suspect(self, body: bytes) -> bool:
        """Whether a page may hold values that decode but cannot be stored."""
        # Looking for one byte first is eight times faster, and most pages have no escapes.
        has_nul = b"\\" in body and b"\\u0000" in body
        return has_nul or self._has_decimals or any(mark in body for mark in _SUSPECT)

    def find_unstorable(self, row: Struct) -> tuple[str, str] | None:
        """JSON name of the first field whose value cannot be stored, and why; None when all can."""
        for name, value in zip(self._json_names, msgspec.structs.astuple(row), strict=True):
            if reason := _why_unstorable(value):
                return name, reason
        return None


def tighten(record: type[Struct]) -> type[Struct]:
    """The record type with integers held to 64 bits and times to having a zone.

    A time without a zone could be any of 26 hours, so it is rejected, unless the field is declared without
    one: `Annotated[datetime, Meta(tz=False)]`. The type's own checks (`__post_init__`, `Meta`) stay.
    """
    fields: list[Any] = []
    for field in msgspec.structs.fields(record):
        default = (
            msgspec.field(name=field.encode_name)
            if field.required
            else msgspec.field(name=field.encode_name, default=field.default)
            if field.default_factory is msgspec.NODEFAULT
            else msgspec.field(name=field.encode_name, default_factory=field.default_factory)
        )
        fields.append((field.name, _tighten_type(field.type), default))
    return msgspec.defstruct(record.__name__, fields, bases=(record,), kw_only=False)


def _tighten_type(kind: Any) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        metas = [meta for meta in args[1:] if isinstance(meta, Meta)]
        return functools.reduce(
            lambda inner, meta: Annotated[inner, meta], args[1:], _tighten_plain(args[0], metas)
        )
    if origin in (Union, types.UnionType):
        return Union[tuple(map(_tighten_type, args))]  # noqa: UP007 (built at run time)
    if origin is list:
        return list[_tighten_type(args[0])]  # type: ignore[misc]  # built at run time
    return _tighten_plain(kind, [])


def _tighten_plain(kind: Any, metas: Sequence[Meta]) -> Any:
    if kind is dt.datetime and all(meta.tz is None for meta in metas):
        return Annotated[kind, Meta(tz=True)]
    if kind is int:
        if all(meta.ge is None and meta.gt is None for meta in metas):
            kind = Annotated[kind, Meta(ge=_LEAST)]
        if all(meta.le is None and meta.lt is None for meta in metas):
            kind = Annotated[kind, Meta(le=_GREATEST)]
    return kind


def _column_of(resource: str, field: inspect.Field) -> Column:
    kind = _without_null(field.type)
    dtype = _dtype_of(kind)
    if dtype is None:
        raise ConfigurationError(
            f"{resource}: field {field.name!r} is a {type(kind).__name__.removesuffix('Type')}, which has no "
            f"column type. Use str, int, float, bool, datetime, date, Decimal or a list of these, each with "
            f"`| None` where null may come, or msgspec.Raw to keep the value as JSON text."
        )
    return Column(field.name, dtype, functools.partial(_MAKERS.get(type(kind), _make), field.name, dtype))


def _without_null(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.Metadata):
        return _without_null(kind.type)
    if isinstance(kind, inspect.UnionType):
        others = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        return _without_null(others[0]) if len(others) == 1 else kind
    return kind


def _dtype_of(kind: inspect.Type) -> pl.DataType | None:
    if isinstance(kind, inspect.DateTimeType):
        return pl.Datetime("us", "UTC" if kind.tz else None)
    if isinstance(kind, inspect.ListType):
        inner = _dtype_of(_without_null(kind.item_type))
        return pl.List(inner) if inner is not None and type(kind.item_type) not in _MAKERS else None
    if isinstance(kind, inspect.LiteralType):
        return pl.String() if all(isinstance(value, str) for value in kind.values) else None
    return _DTYPES.get(type(kind))


def _make(name: str, dtype: pl.DataType, values: Values) -> pl.Series:
    return pl.Series(name, values, dtype=dtype)


def _make_times(name: str, dtype: pl.DataType, values: Values) -> pl.Series:
    """Microseconds since 1970, through durations: exact, and eight times faster than times with a zone."""
    if dtype == pl.Datetime("us"):
        return _make(name, dtype, values)
    since = [None if value is None else value - _EPOCH for value in values]
    return pl.Series(name, since, dtype=pl.Duration("us")).to_physical()


def _make_json(name: str, dtype: pl.DataType, values: Values) -> pl.Series:
    return pl.Series(name, [bytes(value).decode() for value in values], dtype=dtype)


def _make_text(name: str, dtype: pl.DataType, values: Values) -> pl.Series:
    return pl.Series(name, [None if value is None else str(value) for value in values], dtype=dtype)


_DTYPES: dict[type[inspect.Type], pl.DataType] = {
    inspect.BoolType: pl.Boolean(),
    inspect.IntType: pl.Int64(),
    inspect.FloatType: pl.Float64(),
    inspect.StrType: pl.String(),
    inspect.DateType: pl.Date(),
    inspect.DecimalType: _DECIMAL,
    inspect.UUIDType: pl.String(),
    inspect.RawType: pl.String(),
}
_MAKERS: dict[type[inspect.Type], Callable[[str, pl.DataType, Values], pl.Series]] = {
    inspect.DateTimeType: _make_times,
    inspect.RawType: _make_json,
    inspect.UUIDType: _make_text,
}


def _why_unstorable(value: Any) -> str | None:
    if isinstance(value, str) and "\0" in value:
        return "Text with the character \\u0000, which Postgres cannot store"
    if isinstance(value, list):
        return next(filter(None, map(_why_unstorable, value)), None)
    if isinstance(value, dt.datetime) and value.tzinfo and not _EARLIEST <= value - _EPOCH <= _LATEST:
        return "A time that is outside the years 1 to 9999 in UTC"
    if isinstance(value, decimal.Decimal):
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or exponent < -12 or abs(value) >= 10**26:
            return "A decimal with more than 26 digits before or 12 after the point"
    return None
