"""Rows of a table read back into Polars without loss."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from tasks.errors import ConfigurationError
from tasks.load.connection import Connection, first_line
from tasks.load.ddl import comma
from tasks.load.types import ARRAY, DECIMAL_DIGITS, WHOLE, decimal_type, polars_type

# `extract(epoch …)` rounds the last representable moment; whole seconds it does not.
_MICROS = (
    "extract(epoch FROM date_trunc('second', {0}))::bigint * 1000000 "
    "+ extract(microseconds FROM {0})::bigint % 1000000"
)
# Python's times end with the years 1 and 9999; numbers do not.
_AS_NUMBER = {
    "date": "{} - DATE '1970-01-01'",
    "time without time zone": "(extract(epoch FROM {}) * 1000000000)::bigint",
    "timestamp with time zone": _MICROS,
    "timestamp without time zone": _MICROS,
    "interval": "(extract(epoch FROM {}) * 1000000)::bigint",
    "uuid": "{}::text",
    "jsonb": "{}::text",
}
_INTEGERS = {"date": pl.Int32}


def read_rows(
    conn: Connection, columns: Mapping[str, str], source: sql.Composable, *parameters: object
) -> pl.DataFrame:
    """Columns, given with their Postgres types, of the relation `typed` of a FROM clause.

    Raises:
        ConfigurationError: A type, or a value, has no place in Polars.
    """
    for name, kind in columns.items():
        if not kind.startswith("numeric"):
            polars_type(name, kind)
    selected = comma([_select(name, kind) for name, kind in columns.items()]).as_string(conn)
    if parameters:
        selected = selected.replace("%", "%%")  # in a name
    query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(selected), source)
    try:
        with conn.transaction():
            conn.execute("SET LOCAL timezone = 'UTC'")
            rows = conn.execute(query, parameters or None).fetchall()
    except psycopg.DataError as exc:
        raise ConfigurationError(f"Rows cannot be read back: {first_line(exc)}. Replay the load.") from exc
    return pl.DataFrame(
        [_read(name, kind, [row[i] for row in rows]) for i, (name, kind) in enumerate(columns.items())]
    )


def _select(name: str, kind: str) -> sql.Composable:
    return sql.SQL(_AS_NUMBER.get(kind, "{}")).format(sql.Identifier("typed", name))


def _read(name: str, kind: str, values: Sequence[Any]) -> pl.Series:
    if kind.startswith("numeric") and not kind.endswith(ARRAY):
        return _read_numbers(name, kind, [value for value in values if isinstance(value, Decimal)], values)
    if kind == WHOLE + ARRAY:
        values = [items and [item if item is None else int(item) for item in items] for items in values]
    dtype = polars_type(name, kind)
    if dtype.is_temporal():
        return pl.Series(name, values, _INTEGERS.get(kind, pl.Int64)).cast(dtype)
    return pl.Series(name, values, dtype)


def _read_numbers(name: str, kind: str, numbers: Sequence[Decimal], values: Sequence[Any]) -> pl.Series:
    """Exact numbers, with as many digits as they need where the column's type does not say how many."""
    scale = max([0, *(_scale(number) for number in numbers)])
    if kind == WHOLE and all(number.is_finite() for number in numbers):
        dtype = pl.UInt128() if max(numbers, default=0) >= 2**127 else pl.Int128()
        return pl.Series(name, [value if value is None else int(value) for value in values], dtype)
    widest = max(numbers, key=lambda number: number.adjusted(), default=Decimal())
    if not all(number.is_finite() for number in numbers) or widest.adjusted() + 1 + scale > DECIMAL_DIGITS:
        raise ConfigurationError(
            f"Column {name!r} is {kind} and holds {widest}: Polars has {DECIMAL_DIGITS} digits. Replay the "
            "load instead."
        )
    return pl.Series(name, values, decimal_type(kind) or pl.Decimal(DECIMAL_DIGITS, scale))


def _scale(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
