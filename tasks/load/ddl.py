"""Target tables as the frames need them: column types, creation, new columns."""

from collections.abc import Mapping, Sequence

import polars as pl
from psycopg import sql

from tasks.errors import ConfigurationError
from tasks.load.connection import Connection, fetch_one, lock_key
from tasks.pipeline import Table

MAX_NAME_BYTES = 63

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
    if not 0 < len(column.encode()) <= MAX_NAME_BYTES:
        raise ConfigurationError(
            f"Column {column!r}: Postgres takes names of 1 to {MAX_NAME_BYTES} bytes. "
            "Rename it in the transform."
        )
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


def qualified(schema: str, table: str) -> sql.Identifier:
    """A table's name with its schema, quoted."""
    return sql.Identifier(schema, table)


def comma(parts: Sequence[sql.Composable]) -> sql.Composed:
    """Parts joined by commas."""
    return sql.SQL(", ").join(parts)


def identifiers(names: Sequence[str], alias: str | None = None) -> sql.Composed:
    """Column names joined by commas, each with the alias of its relation."""
    return comma([sql.Identifier(alias, name) if alias else sql.Identifier(name) for name in names])


def column_definitions(schema: pl.Schema) -> sql.Composed:
    """`name type, …` for every column of a frame."""
    return comma(
        [sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(postgres_type(n, t))) for n, t in schema.items()]
    )


def ensure_schema(conn: Connection, schema: str) -> None:
    """Create a schema unless it exists; safe with two workers at once, in the caller's transaction.

    Where it exists, the role needs no right to create any: `IF NOT EXISTS` alone would ask for it.
    """
    name = sql.Identifier(schema)
    if fetch_one(conn, "SELECT to_regnamespace(%s) IS NULL", name.as_string(conn))[0]:
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key("schema", schema),))
        conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))


def read_columns(conn: Connection, schema: str, table: str) -> dict[str, str]:
    """Columns of a table and their types, as Postgres writes them; empty when there is no such table."""
    rows = conn.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (sql.Identifier(schema, table).as_string(conn),),
    )
    return {str(name): str(kind) for name, kind in rows}


def read_key(conn: Connection, schema: str, table: str) -> list[str]:
    """Columns of a table's primary key, sorted; empty when it has none."""
    rows = conn.execute(
        "SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey) "
        "WHERE indisprimary AND indrelid = to_regclass(%s)",
        (sql.Identifier(schema, table).as_string(conn),),
    )
    return sorted(str(name) for (name,) in rows)


def create_table(conn: Connection, schema: str, table: str, frame: pl.Schema) -> None:
    """Create a table for a frame's columns, without its key: a filled table is keyed faster."""
    conn.execute(sql.SQL("CREATE TABLE {} ({})").format(qualified(schema, table), column_definitions(frame)))


def add_primary_key(conn: Connection, schema: str, table: str, columns: Sequence[str]) -> None:
    """Key a table."""
    conn.execute(
        sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(qualified(schema, table), identifiers(columns))
    )


def fit_table(
    conn: Connection, schema: str, table: Table, existing: Mapping[str, str], frame: pl.Schema
) -> None:
    """Make an existing table hold the frame's columns: add the new ones, refuse changed types and keys.

    Raises:
        ConfigurationError: A column has another type, the key differs, or the table is declared frozen.
    """
    wanted = {name: postgres_type(name, dtype) for name, dtype in frame.items()}
    _refuse_other_types(schema, table.name, existing, wanted)
    _refuse_other_key(conn, schema, table)
    for name in (name for name in wanted if name not in existing):
        statement = sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(
            qualified(schema, table.name), sql.Identifier(name), sql.SQL(wanted[name])
        )
        if table.columns == "freeze":
            raise ConfigurationError(
                f"{table.name}: column {name!r} is new and the table is declared columns='freeze'. "
                f"To take it in: {statement.as_string(conn)}"
            )
        conn.execute(statement)


def _refuse_other_types(
    schema: str, table: str, existing: Mapping[str, str], wanted: Mapping[str, str]
) -> None:
    other = [
        f"{name} is {existing[name]}, the data has {kind}"
        for name, kind in wanted.items()
        if existing.get(name, kind) != kind
    ]
    if other:
        raise ConfigurationError(
            f"{schema}.{table}: {len(other)} of {len(wanted)} columns have another type: {'; '.join(other)}. "
            "Cast them in the transform, or change the table."
        )


def _refuse_other_key(conn: Connection, schema: str, table: Table) -> None:
    key = read_key(conn, schema, table.name)
    if key != sorted(table.primary_key):
        raise ConfigurationError(
            f"{schema}.{table.name} has the primary key {key or 'none'}, the declaration says "
            f"{sorted(table.primary_key)}. Change one of them."
        )
