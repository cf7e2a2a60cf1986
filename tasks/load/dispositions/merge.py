"""Merge by key: new rows are inserted, differing ones updated, those with a tombstone deleted."""

from psycopg import sql

from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection
from tasks.load.dispositions.keyed import (
    IS_NEW_OR_DIFFERS,
    count_changes,
    delete_rows,
    fill_new,
    note_changed,
    select_touched,
    write_rows,
)

__all__ = ["delete_rows", "fill_new", "find_changes", "select_touched", "write_rows"]


def find_changes(conn: Connection, batch: Batch) -> Changes:
    """Note new, differing and deleted rows; one that is older than the target's by `version_by` is none."""
    note_changed(
        conn, batch, {"is_newer": _not_older(batch)}, condition=f"{IS_NEW_OR_DIFFERS} AND {{is_newer}}"
    )
    return count_changes(conn, batch)


def _not_older(batch: Batch) -> sql.Composable:
    version = batch.table.version_by
    if version is None or version not in batch.columns:
        return sql.SQL("true")
    return sql.SQL("(old.{0} IS NULL OR new.{0} >= old.{0})").format(sql.Identifier(version))
