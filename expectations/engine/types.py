"""Names of types: Polars' own, and those that suites written for pandas use."""

from __future__ import annotations

import polars as pl

_SIGNED = frozenset({pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Int128})
_UNSIGNED = frozenset({pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64})
_TEXT = frozenset({pl.String})

_ALIASES: dict[str, frozenset[type[pl.DataType]]] = {
    "str": _TEXT,
    "string": _TEXT,
    "StringDtype": _TEXT,
    "object": frozenset({pl.String, pl.Object, pl.List, pl.Struct}),
    "O": frozenset({pl.String, pl.Object, pl.List, pl.Struct}),
    "int": _SIGNED | _UNSIGNED,
    "integer": _SIGNED | _UNSIGNED,
    "float": frozenset({pl.Float32, pl.Float64}),
    "double": frozenset({pl.Float64}),
    "bool": frozenset({pl.Boolean}),
    "boolean": frozenset({pl.Boolean}),
    "BooleanDtype": frozenset({pl.Boolean}),
    "datetime": frozenset({pl.Datetime}),
    "DatetimeTZDtype": frozenset({pl.Datetime}),
    "Timestamp": frozenset({pl.Datetime}),
    "date": frozenset({pl.Date}),
    "time": frozenset({pl.Time}),
    "timedelta": frozenset({pl.Duration}),
    "timedelta64": frozenset({pl.Duration}),
    "bytes": frozenset({pl.Binary}),
    "decimal": frozenset({pl.Decimal}),
    "category": frozenset({pl.Categorical, pl.Enum}),
    "list": frozenset({pl.List}),
    "dict": frozenset({pl.Struct}),
}


def is_of_type(dtype: pl.DataType, name: str) -> bool:
    """Whether a column's type goes by a name: `Int64`, `pl.Int64`, `int64`, `Int64Dtype`, `int`, `int_`.

    A name with arguments, `Datetime(time_unit='us', time_zone='UTC')`, must be matched by all of them. A name
    that is none of a type matches nothing.
    """
    plain = name.removeprefix("pl.").removeprefix("polars.")
    if plain in {str(dtype), type(dtype).__name__}:
        return True
    if plain.removesuffix("Dtype").lower() == str(dtype).lower():
        return True
    if isinstance(dtype, pl.Datetime) and plain.startswith("datetime64"):
        return dtype.time_zone is None  # pandas has a type of its own for moments with a zone
    return type(dtype) in _ALIASES.get(plain, _ALIASES.get(plain.rstrip("_"), frozenset()))
