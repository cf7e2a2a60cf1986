"""Merge staged rows into a target table: only rows that differ are written, in rows and in WAL.

`ON CONFLICT DO UPDATE … WHERE` alone would lock, and so log, every unchanged row; joining first finds the
few that differ. Measured in the design notes: 80 MB of WAL against none for 336,776 unchanged rows.
"""

from dataclasses import dataclass

import polars as pl
from psycopg import sql

from tasks.load.connection import Connection, fetch_one
from tasks.load.ddl import (
    add_primary_key,
    create_table,
    fit_table,
    identifiers,
    qualified,
    read_columns,
)
from tasks.load.diff import differing_values, on_conflict, same_values
from tasks.load.staging import SCHEMA as STAGING
from tasks.load.staging import staging_name
from tasks.pipeline import Table

# A name that no column of a key has.
IS_NEW = sql.Identifier("assay: is new")


@dataclass(frozen=True)
class Merged:
    """Rows written by a merge, and whether it was the first into a table that did not exist."""

    inserted: int
    updated: int
    is_first: bool = False

    @property
    def is_unchanged(self) -> bool:
        """Whether no row was written."""
        return not self.inserted and not self.updated


def changed_table(table: str) -> sql.Identifier:
    """The transaction's temporary table of keys that a merge writes."""
    return sql.Identifier(f"changed_{table}")


def create_or_fit(conn: Connection, schema: str, table: Table, frame: pl.Schema) -> bool:
    """Make the target exist with the frame's columns; True when it is new, empty and still without key."""
    existing = read_columns(conn, schema, table.name)
    if not existing:
        create_table(conn, schema, table.name, frame)
        return True
    fit_table(conn, schema, table, existing, frame)
    return False


def fill_new(conn: Connection, schema: str, table: Table, load_id: str, columns: list[str]) -> Merged:
    """Fill a table created in this transaction, then key it."""
    cursor = conn.execute(
        sql.SQL("INSERT INTO {target} ({columns}) SELECT {columns} FROM {staging}").format(
            target=qualified(schema, table.name),
            staging=qualified(STAGING, staging_name(load_id, table.name)),
            columns=identifiers(columns),
        )
    )
    add_primary_key(conn, schema, table.name, table.primary_key)
    return Merged(inserted=cursor.rowcount, updated=0, is_first=True)


def find_changed(conn: Connection, schema: str, table: Table, load_id: str, columns: list[str]) -> Merged:
    """Write the keys of new and differing rows to a temporary table, and count them.

    A staged row older than the target's by `version_by` is not a change.
    """
    changed = changed_table(table.name)
    conn.execute(
        sql.SQL(
            "CREATE TEMP TABLE {changed} ON COMMIT DROP AS "
            "SELECT {key}, old.{first_key} IS NULL AS {is_new} "
            "FROM {staging} new LEFT JOIN {target} old ON {same_key} "
            "WHERE old.{first_key} IS NULL OR ({differs}) AND {not_older}"
        ).format(
            changed=changed,
            key=identifiers(table.primary_key, "new"),
            first_key=sql.Identifier(table.primary_key[0]),
            is_new=IS_NEW,
            staging=qualified(STAGING, staging_name(load_id, table.name)),
            target=qualified(schema, table.name),
            same_key=same_values(table.primary_key, "new", "old"),
            differs=differing_values(_values(table, columns), "new", "old"),
            not_older=_not_older(table, columns),
        )
    )
    new, old = fetch_one(
        conn,
        sql.SQL("SELECT count(*) FILTER (WHERE {0}), count(*) FILTER (WHERE NOT {0}) FROM {1}").format(
            IS_NEW, changed
        ),
    )
    assert isinstance(new, int)
    assert isinstance(old, int)
    return Merged(inserted=new, updated=old)


def write_changed(conn: Connection, schema: str, table: Table, load_id: str, columns: list[str]) -> None:
    """Upsert the rows whose keys `find_changed` wrote down."""
    conn.execute(
        sql.SQL(
            "INSERT INTO {target} ({columns}) "
            "SELECT {new_columns} FROM {staging} new JOIN {changed} USING ({key}) {upsert}"
        ).format(
            target=qualified(schema, table.name),
            columns=identifiers(columns),
            new_columns=identifiers(columns, "new"),
            staging=qualified(STAGING, staging_name(load_id, table.name)),
            changed=changed_table(table.name),
            key=identifiers(table.primary_key),
            upsert=on_conflict(table.primary_key, _values(table, columns)),
        )
    )


def _values(table: Table, columns: list[str]) -> list[str]:
    return [name for name in columns if name not in table.primary_key]


def _not_older(table: Table, columns: list[str]) -> sql.Composable:
    if table.version_by is None or table.version_by not in columns:
        return sql.SQL("true")
    version = sql.Identifier(table.version_by)
    return sql.SQL("(old.{0} IS NULL OR new.{0} >= old.{0})").format(version)
