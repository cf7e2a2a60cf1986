"""Column types: the Postgres type that holds every value of a Polars type."""

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
