"""Column types: the Postgres type that holds every value of a Polars type, and the other way round."""

import re
from collections.abc import Mapping

import polars as pl

from tasks.errors import ConfigurationError

POSTGRES_TYPES: Mapping[type[pl.DataType], str] = {
    pl.Boolean: "boolean",
    pl.Int8: "smallint",
    pl.Int16: "smallint",
    pl.Int32: "integer",
    pl.Int64: "bigint",
    pl.Int128: "numeric(39,0)",
    pl.UInt8: "smallint",
    pl.UInt16: "integer",
    pl.UInt32: "bigint",
    pl.UInt64: "numeric(20,0)",
    pl.UInt128: "numeric(39,0)",
    pl.Float16: "real",
    pl.Float32: "real",
    pl.Float64: "double precision",
    pl.String: "text",
    pl.Categorical: "text",
    pl.Enum: "text",
    pl.Binary: "bytea",
    pl.Date: "date",
    pl.Time: "time without time zone",
    pl.Duration: "interval",
    pl.Struct: "jsonb",
}
WHOLE = "numeric(39,0)"
"""The type of integers of 128 bits."""
ARRAY = "[]"
"""What the type of an array ends with."""


def postgres_type(column: str, dtype: pl.DataType) -> str:
    """The Postgres type that holds every value of this Polars type.

    A list is an array of its items' type; when these are lists or structs themselves, it is JSONB, as a
    struct is.

    Raises:
        ConfigurationError: No type does; the transform must cast the column.
    """
    if isinstance(dtype, pl.Datetime | pl.Duration) and dtype.time_unit == "ns":
        raise ConfigurationError(
            f"Column {column!r} is {dtype}; Postgres keeps microseconds. Cast it in the transform, "
            'for example by .dt.cast_time_unit("us").'
        )
    if isinstance(dtype, pl.Datetime):
        return "timestamp with time zone" if dtype.time_zone else "timestamp without time zone"
    if isinstance(dtype, pl.Decimal):
        return f"numeric({dtype.precision},{dtype.scale})"
    if isinstance(dtype, pl.List | pl.Array):
        inner = postgres_type(column, _instance(dtype.inner))
        return "jsonb" if dtype.inner.is_nested() else f"{inner}{ARRAY}"
    if isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            if field.dtype != pl.Null:  # it is null in JSON, whatever it will be
                postgres_type(f"{column}.{field.name}", _instance(field.dtype))
    known = POSTGRES_TYPES.get(type(dtype))
    if known is None:
        raise ConfigurationError(
            f"Column {column!r} is {dtype}, which has no Postgres type here. Cast it in the transform, "
            "for example to pl.String."
        )
    return known


def _instance(dtype: object) -> pl.DataType:
    """The types inside others may be given as classes."""
    assert isinstance(dtype, pl.DataType | type)
    return dtype if isinstance(dtype, pl.DataType) else dtype()


POLARS_TYPES: Mapping[str, pl.DataType] = {
    "boolean": pl.Boolean(),
    "smallint": pl.Int16(),
    "integer": pl.Int32(),
    "bigint": pl.Int64(),
    "numeric(39,0)": pl.Int128(),
    "real": pl.Float32(),
    "double precision": pl.Float64(),
    "text": pl.String(),
    "uuid": pl.String(),
    "jsonb": pl.String(),
    "bytea": pl.Binary(),
    "date": pl.Date(),
    "time without time zone": pl.Time(),
    "timestamp with time zone": pl.Datetime("us", "UTC"),
    "timestamp without time zone": pl.Datetime("us"),
    "interval": pl.Duration("us"),
}
DECIMAL_DIGITS = 38
"""The most that a decimal of Polars has."""


def polars_type(column: str, kind: str) -> pl.DataType:
    """The Polars type that holds what assay writes to a column of this Postgres type.

    UUIDs and JSONB are text then. Numbers without a declared scale have no Polars type of their own: see
    `tasks.load.reading`.

    Raises:
        ConfigurationError: It is not one of the types that assay writes.
    """
    if kind.endswith(ARRAY):
        return pl.List(polars_type(column, kind.removesuffix(ARRAY)))
    if kind in POLARS_TYPES:
        return POLARS_TYPES[kind]
    if dtype := decimal_type(kind):
        return dtype
    raise ConfigurationError(
        f"Column {column!r} is {kind}, which rows cannot be read back from here. Replay the load instead."
    )


def decimal_type(kind: str) -> pl.Decimal | None:
    """The decimals that a Postgres type with a scale has, unless Polars has too few digits for them."""
    digits = re.fullmatch(r"numeric\((\d+),(\d+)\)", kind)
    if digits and int(digits[1]) <= DECIMAL_DIGITS:
        return pl.Decimal(int(digits[1]), int(digits[2]))
    return None
