"""Names of types: Polars' own, and those that suites written for pandas use."""

from __future__ import annotations

import numpy as np
import polars as pl

_SIGNED = frozenset({pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Int128})
_UNSIGNED = frozenset({pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64})
_TEXT = frozenset({pl.String})

# As GX on pandas reads the names of Python's own types.
_IN_ANY_CASE = frozenset({"bool", "int", "long", "float", "bytes", "str", "string_types", "list", "dict"})

_ALIASES: dict[str, frozenset[type[pl.DataType]]] = {
    "str": _TEXT,
    "string": _TEXT,
    "string_types": _TEXT,
    "StringDtype": _TEXT,
    "object": frozenset({pl.String, pl.Object, pl.List, pl.Struct}),
    "O": frozenset({pl.String, pl.Object, pl.List, pl.Struct}),
    "int": _SIGNED | _UNSIGNED,
    "long": _SIGNED | _UNSIGNED,
    "integer": _SIGNED | _UNSIGNED,
    "float": frozenset({pl.Float32, pl.Float64}),
    "double": frozenset({pl.Float64}),
    "bool": frozenset({pl.Boolean}),
    "boolean": frozenset({pl.Boolean}),
    "BooleanDtype": frozenset({pl.Boolean}),
    "datetime": frozenset({pl.Datetime}),
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
    if isinstance(dtype, pl.Datetime) and plain.startswith(("datetime64", "DatetimeTZDtype")):
        # pandas has a type of its own for moments with a zone.
        return (dtype.time_zone is None) == plain.startswith("datetime64")
    return type(dtype) in _aliased(plain) or _numpy_name(plain) == str(dtype).lower()


def _aliased(name: str) -> frozenset[type[pl.DataType]]:
    if name.lower() in _IN_ANY_CASE:
        name = name.lower()
    return _ALIASES.get(name, _ALIASES.get(name.split("[")[0].rstrip("_"), frozenset()))


def _numpy_name(name: str) -> str | None:
    """A code of NumPy's, `i8` or `single`, by its full name."""
    try:
        return np.dtype(name).name
    except (TypeError, ValueError, SyntaxError):
        return None
