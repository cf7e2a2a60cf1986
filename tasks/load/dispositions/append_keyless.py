"""Append without a key: every row is added, once a load since a load is published once."""

from collections.abc import Sequence

from psycopg import sql

from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection
from tasks.load.ddl import identifiers
from tasks.load.dispositions.keyed import fill_new

__all__ = ["delete_rows", "fill_new", "find_changes", "select_touched", "write_rows"]


def find_changes(conn: Connection, batch: Batch) -> Changes:  # noqa: ARG001  the shape of all dispositions
    """All rows are new."""
    return Changes(inserted=batch.staged)


def select_touched(batch: Batch, columns: Sequence[str]) -> sql.Composed:
    """These columns of the staged rows."""
    return batch.fill("SELECT DISTINCT {names} FROM {staging}", names=identifiers(columns))


def write_rows(conn: Connection, batch: Batch, changes: Changes) -> None:
    """Insert the staged rows."""
    if changes.inserted:
        conn.execute(batch.fill("INSERT INTO {target} ({columns}) SELECT {columns} FROM {staging}"))


def delete_rows(conn: Connection, batch: Batch, changes: Changes) -> None:
    """Nothing is ever deleted."""
