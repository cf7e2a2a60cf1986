"""Append by key: rows whose key is new are added, those that are there stay as they are."""

from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection
from tasks.load.dispositions.keyed import (
    count_changes,
    delete_rows,
    fill_new,
    note_new,
    select_touched,
    write_rows,
)

__all__ = ["delete_rows", "fill_new", "find_changes", "select_touched", "write_rows"]


def find_changes(conn: Connection, batch: Batch) -> Changes:
    """Note the rows whose key is new."""
    note_new(conn, batch)
    return count_changes(conn, batch)
