"""Columns of a record type: which dtype each field has, and how its values become one."""

import collections
from collections.abc import Sequence
from itertools import chain
from typing import Any

import msgspec
import polars as pl
from msgspec import UNSET, Struct, inspect

from tasks.errors import ConfigurationError
from tasks.extract.decoding.makers import MAKERS, Maker, dtype_of, make_plain, scale_of, spread, without_null
from tasks.extract.decoding.storable import find_unstorable
from tasks.extract.decoding.strict import DROPPED, LEARNED, UNTYPED, key_of

Values = Sequence[Any]


class Column(Struct, frozen=True):
    """One field as a column: `make` makes it from the field's values, `scale` is that of a decimal."""

    name: str
    key: str
    dtype: pl.DataType
    make: Maker
    may_be_unset: bool
    scale: int


class Columns:
    """A record type as a frame: one column a field, in the order of the type.

    Declared fields give their names to the columns, learned ones their JSON keys (with `_` behind it where
    a declared field has that name). An object becomes a struct, a list a list.
    """

    def __init__(self, resource: str, record: type[Struct]) -> None:
        """Derive the columns.

        Args:
            resource: Whose records they are, for messages.
            record: From `build_record`.

        Raises:
            ConfigurationError: A field's type has no column type.
        """
        info = inspect.type_info(record)
        assert isinstance(info, inspect.StructType)
        unset = {field.name for field in msgspec.structs.fields(record) if field.default is UNSET}
        self.record = record
        self.dropped: collections.Counter[str] = collections.Counter()
        self._columns: list[Column] = []
        self._dropped = [key for f in info.fields if (key := key_of(f.name, DROPPED)) is not None]
        self._untyped = sum(field.name.startswith(UNTYPED) for field in info.fields)
        self._nested: dict[str, Columns] = {}
        for field in info.fields:
            if not field.name.startswith((UNTYPED, DROPPED)):
                self._add(resource, field, may_be_unset=field.name in unset)
        self.schema = pl.Schema({column.name: column.dtype for column in self._columns})
        self.has_decimals = any(_holds(dtype, pl.Decimal) for dtype in self.schema.values())
        self.has_raw = any(_keeps_raw(each) for each in info.fields)

    def make_chunk(self, rows: Sequence[Struct]) -> pl.DataFrame:
        """Some records as a piece of a frame, to be joined; 2,000 at a time fit the processor's cache.

        Raises:
            UnstorableTimeError: A time among them cannot be stored.
        """
        if not rows:
            return self.join([])
        # In four fifths of the time of a `zip`, whose iterators, one a row, do not fit the nearest cache.
        tuples = list(map(msgspec.structs.astuple, rows))
        (width,) = set(map(len, tuples))
        flat = list(chain.from_iterable(tuples))
        values = [flat[at::width] for at in range(width)]
        series = [_make(column, each) for column, each in zip(self._columns, values, strict=False)]
        dropped = values[len(self._columns) + self._untyped :]
        for key, each in zip(self._dropped, dropped, strict=True):
            self.dropped[key] += sum(map(bool, each))
        return pl.DataFrame(series, height=len(rows))

    def join(self, chunks: Sequence[pl.DataFrame]) -> pl.DataFrame:
        """The chunks as one frame, one row a record, in order."""
        # Of ten pieces Polars would write CSV in half as much CPU time again.
        return pl.concat(chunks, rechunk=True).cast(self.schema) if chunks else self.schema.to_frame()

    def count_dropped(self) -> dict[str, int]:
        """How many values were left out so far, by dotted path."""
        counts = {key: count for key, count in self.dropped.items() if count}
        for key, nested in self._nested.items():
            counts |= {f"{key}.{path}": count for path, count in nested.count_dropped().items()}
        return counts

    def find_unstorable(self, row: Struct) -> tuple[str, str] | None:
        """Path of the first value that decodes but cannot be stored, and why; None when all can be."""
        for column, value in zip(self._columns, msgspec.structs.astuple(row), strict=False):
            nested = self._nested.get(column.key)
            if found := find_unstorable(value, column.scale, nested.find_unstorable if nested else None):
                return f".{column.key}{found[0]}", found[1]
        return None

    def _add(self, resource: str, field: inspect.Field, *, may_be_unset: bool) -> None:
        kind, key = without_null(field.type), key_of(field.name, LEARNED)
        # Polars takes an empty name for none.
        name = field.name if key is None else key or "_"
        while any(column.name == name for column in self._columns):
            name += "_"
        dtype, maker = self._column_type(resource, field.encode_name, kind)
        if dtype is None or maker is None:
            raise ConfigurationError(
                f"{resource}: field {field.name!r} is a {type(kind).__name__.removesuffix('Type')}, which "
                "has no column type. Use str, int, float, bool, datetime, date, time, Decimal, UUID, a "
                "msgspec Struct or a list of these, each with `| None` where null may come, or msgspec.Raw "
                "to keep the value as JSON text."
            )
        scale = scale_of(field.type)
        if isinstance(dtype, pl.Decimal):
            dtype = pl.Decimal(38, scale)
        self._columns.append(Column(name, field.encode_name, dtype, maker, may_be_unset, scale))

    def _column_type(
        self, resource: str, key: str, kind: inspect.Type
    ) -> tuple[pl.DataType | None, Maker | None]:
        """Dtype and maker of a field, of a list's items, of the items of these."""
        if isinstance(kind, inspect.StructType):
            nested = self._nested.setdefault(key, Columns(resource, kind.cls))
            return pl.Struct(nested.schema), nested.make_struct
        if isinstance(kind, inspect.ListType):
            inner, maker = self._column_type(resource, key, without_null(kind.item_type))
            if inner is None or maker is None:
                return None, None
            return pl.List(inner), make_plain if maker is make_plain else _ListMaker(inner, maker)
        return dtype_of(kind), MAKERS.get(type(kind), make_plain)

    def make_struct(self, name: str, _dtype: pl.DataType, values: Values) -> pl.Series:
        """A column of objects, null where there is none."""
        present = [value for value in values if value is not None]
        return spread(self.join([self.make_chunk(present)]).to_struct(name), values)


class _ListMaker:
    """Makes columns of lists whose items are made by another maker."""

    def __init__(self, inner: pl.DataType, maker: Maker) -> None:
        self._inner = inner
        self._make_items = maker

    def __call__(self, name: str, dtype: pl.DataType, values: Values) -> pl.Series:
        """All items as one column, cut at the lists' ends."""
        items = [item for value in values if value for item in value]
        rows = [row for row, value in enumerate(values) if value for _ in value]
        flat = self._make_items("item", self._inner, items).cast(self._inner)
        lists = pl.DataFrame({"row": rows, "item": flat}, schema_overrides={"row": pl.UInt32})
        filled = lists.group_by("row", maintain_order=True).agg("item")["item"]
        empty, positions = filled.len(), iter(range(filled.len()))
        filled = filled.append(pl.Series("item", [[]], dtype=dtype))
        places = [None if value is None else next(positions) if value else empty for value in values]
        return filled.gather(pl.Series(places, dtype=pl.UInt32)).rename(name)


def _make(column: Column, values: Values) -> pl.Series:
    if column.may_be_unset:
        values = [None if value is UNSET else value for value in values]
    return column.make(column.name, column.dtype, values)


def _holds(dtype: pl.DataType, kind: type[pl.DataType]) -> bool:
    if isinstance(dtype, pl.List):
        return _holds(dtype.inner, kind)  # type: ignore[arg-type]  # built from instances
    if isinstance(dtype, pl.Struct):
        return any(_holds(field.dtype, kind) for field in dtype.fields)  # type: ignore[arg-type]
    return isinstance(dtype, kind)


def _keeps_raw(part: Any) -> bool:
    """Whether a type, or any within it, is kept as it came."""
    if isinstance(part, inspect.StructType):
        return any(map(_keeps_raw, part.fields))
    if isinstance(part, inspect.UnionType):
        return any(map(_keeps_raw, part.types))
    if isinstance(part, inspect.ListType):
        return _keeps_raw(part.item_type)
    if isinstance(part, inspect.Field | inspect.Metadata):
        return _keeps_raw(part.type)
    return isinstance(part, inspect.RawType)
