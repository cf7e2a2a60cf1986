"""Column types: the Postgres type that holds every value of a Polars type."""

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
    pl.UInt8: "smallint",
    pl.UInt16: "integer",
    pl.UInt32: "bigint",
    pl.UInt64: "numeric(20,0)",
    pl.Float32: "real",
    pl.Float64: "double precision",
    pl.String: "text",
    pl.Categorical: "text",
    pl.Enum: "text",
    pl.Date: "date",
    pl.Time: "time without time zone",
}


def postgres_type(column: str, dtype: pl.DataType) -> str:
    """The Postgres type that holds every value of this Polars type.

    Raises:
        ConfigurationError: No type does; the transform must cast the column.
    """
    if isinstance(dtype, pl.Datetime) and dtype.time_unit == "ns":
        raise ConfigurationError(
            f"Column {column!r} is {dtype}; Postgres keeps microseconds. Cast it in the transform, "
            'for example by .dt.cast_time_unit("us").'
        )
    if isinstance(dtype, pl.Datetime):
        return "timestamp with time zone" if dtype.time_zone else "timestamp without time zone"
    if isinstance(dtype, pl.Decimal):
        return f"numeric({dtype.precision},{dtype.scale})"
    known = POSTGRES_TYPES.get(type(dtype))
    if known is None:
        raise ConfigurationError(
            f"Column {column!r} is {dtype}, which has no Postgres type here. Cast it in the transform, "
            "for example to pl.String."
        )
    return known


POLARS_TYPES: Mapping[str, pl.DataType] = {
    "boolean": pl.Boolean(),
    "smallint": pl.Int16(),
    "integer": pl.Int32(),
    "bigint": pl.Int64(),
    "real": pl.Float32(),
    "double precision": pl.Float64(),
    "text": pl.String(),
    "date": pl.Date(),
    "time without time zone": pl.Time(),
    "timestamp with time zone": pl.Datetime("us", "UTC"),
    "timestamp without time zone": pl.Datetime("us"),
}


def polars_type(column: str, kind: str) -> pl.DataType:
    """The Polars type that holds what assay writes to a column of this Postgres type.

    Raises:
        ConfigurationError: It is not one of the types that assay writes.
    """
    if digits := re.fullmatch(r"numeric\((\d+),(\d+)\)", kind):
        return pl.Decimal(int(digits[1]), int(digits[2]))
    if kind not in POLARS_TYPES:
        raise ConfigurationError(
            f"Column {column!r} is {kind}, which rows cannot be read back from here. Replay the load instead."
        )
    return POLARS_TYPES[kind]
