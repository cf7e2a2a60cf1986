"""Schemas, tables and columns: what they are called, what there is, and how they are made."""

from collections.abc import Mapping, Sequence

import polars as pl
from psycopg import sql

from tasks.errors import ConfigurationError
from tasks.load.connection import Connection, fetch_one, lock_key
from tasks.load.names import check_names
from tasks.load.types import postgres_type


def qualified(schema: str, table: str) -> sql.Identifier:
    """A table's name with its schema, quoted."""
    return sql.Identifier(schema, table)


def comma(parts: Sequence[sql.Composable]) -> sql.Composed:
    """Parts joined by commas."""
    return sql.SQL(", ").join(parts)


def identifiers(names: Sequence[str], alias: str | None = None) -> sql.Composed:
    """Column names joined by commas, each with the alias of its relation."""
    return comma([sql.Identifier(alias, name) if alias else sql.Identifier(name) for name in names])


def column_types(table: str, frame: pl.Schema) -> dict[str, str]:
    """Names and Postgres types of the columns of a table's frame.

    Raises:
        ConfigurationError: A name, or a type, has no place in Postgres.
    """
    try:
        check_names(list(frame))
        return {name: postgres_type(name, dtype) for name, dtype in frame.items()}
    except ConfigurationError as exc:
        raise ConfigurationError(f"{table}: {exc}") from exc


def column_definitions(columns: Mapping[str, str]) -> sql.Composed:
    """`name type, …`, where the types are as Postgres writes them."""
    return comma(
        [sql.SQL("{} {}").format(sql.Identifier(name), type_sql(kind)) for name, kind in columns.items()]
    )


def type_sql(kind: str) -> sql.Composable:
    """A type as Postgres writes it, which is how it reads it."""
    return sql.SQL(kind)  # from our own list of types, or from format_type


def set_type(column: str, kind: str, *, before: str = "text") -> sql.Composed:
    """The part of ALTER TABLE that gives a column another type; text is parsed, also as JSONB."""
    name, to = sql.Identifier(column), type_sql(kind)
    value = sql.SQL("to_jsonb({})" if kind == "jsonb" and before != "text" else "{}::{}").format(name, to)
    return sql.SQL("ALTER COLUMN {} TYPE {} USING {}").format(name, to, value)


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


def read_key_name(conn: Connection, schema: str, table: str) -> str | None:
    """Name of a table's primary key constraint."""
    row = conn.execute(
        "SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = to_regclass(%s)",
        (sql.Identifier(schema, table).as_string(conn),),
    ).fetchone()
    return None if row is None else str(row[0])


def create_table(conn: Connection, schema: str, table: str, columns: Mapping[str, str]) -> None:
    """Create a table without its key: a filled table is keyed faster."""
    conn.execute(
        sql.SQL("CREATE TABLE {} ({})").format(qualified(schema, table), column_definitions(columns))
    )


def add_primary_key(conn: Connection, schema: str, table: str, columns: Sequence[str]) -> None:
    """Key a table."""
    conn.execute(
        sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(qualified(schema, table), identifiers(columns))
    )
