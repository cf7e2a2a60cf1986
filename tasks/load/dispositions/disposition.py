"""The shape that all dispositions have, and which one a table is declared with.

All run in the publishing transaction, in this order for all tables of a pipeline: first what changes is
found, then rows are written, in the declared order of the tables, and at last deleted, in the reverse order,
so that foreign keys between the tables hold.
"""

from collections.abc import Sequence
from typing import Protocol

from psycopg import sql

from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection
from tasks.load.dispositions import (
    append,
    append_keyless,
    merge,
    replace,
    replace_keyless,
    scd2_snapshots,
    scd2_versions,
)
from tasks.pipeline import Table


class Disposition(Protocol):
    """What every disposition does: functions of a module."""

    def fill_new(self, conn: Connection, batch: Batch) -> Changes:
        """Fill a table created in this transaction, then key it."""

    def find_changes(self, conn: Connection, batch: Batch) -> Changes:
        """Write to temporary tables what is to be written and deleted, and count it."""

    def select_touched(self, batch: Batch, columns: Sequence[str]) -> sql.Composed:
        """A query for these columns of all rows that change, as they were and as they will be."""

    def write_rows(self, conn: Connection, batch: Batch, changes: Changes) -> None:
        """Insert and update what was found.

        Raises:
            RetriableError: Another session changed the table meanwhile.
        """

    def delete_rows(self, conn: Connection, batch: Batch, changes: Changes) -> None:
        """Delete what was found.

        Raises:
            ConfigurationError: Rows of other tables depend on the deleted ones.
            RetriableError: Another session changed the table meanwhile.
        """


def disposition_of(table: Table) -> Disposition:
    """The disposition that a table is declared with."""
    match table.disposition:
        case "append":
            return append if table.primary_key else append_keyless
        case "merge":
            return merge
        case "replace":
            return replace if table.primary_key else replace_keyless
        case "scd2":
            return scd2_versions if table.version_by else scd2_snapshots
