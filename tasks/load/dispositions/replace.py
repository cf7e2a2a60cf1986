"""Replace by key: the table becomes what the load holds, and only rows that differ are written.

Readers see the old table or the new one, also those whose snapshot is older: no TRUNCATE, no other table.
"""

from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection
from tasks.load.dispositions.keyed import (
    count_changes,
    delete_rows,
    fill_new,
    note_absent,
    note_changed,
    select_touched,
    write_rows,
)

__all__ = ["delete_rows", "fill_new", "find_changes", "select_touched", "write_rows"]


def find_changes(conn: Connection, batch: Batch) -> Changes:
    """Note new and differing rows, and those that are gone."""
    note_changed(conn, batch)
    absent, withheld = note_absent(conn, batch)
    return count_changes(conn, batch, absent=absent, withheld=withheld)
