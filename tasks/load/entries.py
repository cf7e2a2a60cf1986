"""Entries of the quarantine as people look at them, and dropping them."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg.rows import dict_row

from tasks.errors import ConfigurationError
from tasks.load.connection import Connection
from tasks.load.jsonb import storable_text


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is kept out of its table; `row` is as the transform made it, `key` null without a key."""

    quarantine_id: int
    pipeline: str
    table_name: str
    key: dict[str, Any] | None
    row: dict[str, Any]
    reasons: tuple[str, ...]
    load_id: str
    last_load_id: str
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    closed_at: dt.datetime | None
    closed_by: str | None
    close_reason: str | None

    @property
    def is_rejected_record(self) -> bool:
        """Whether it is no row at all, but a record that did not fit the resource's schema."""
        return self.key is None and set(self.row) == {"record"}


_SELECT = (
    "SELECT quarantine_id, pipeline, table_name, key, row, reasons, load_id, last_load_id, first_seen_at, "
    "last_seen_at, closed_at, closed_by, close_reason FROM assay.quarantine "
)


def list_open(
    conn: Connection, pipeline: str | None = None, table: str | None = None, *, limit: int
) -> list[Entry]:
    """The open entries, those seen last first, of one pipeline or table or of all."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            _SELECT + "WHERE closed_at IS NULL AND pipeline = coalesce(%s, pipeline) "
            "AND table_name = coalesce(%s, table_name) ORDER BY last_seen_at DESC, quarantine_id LIMIT %s",
            (pipeline, table, limit),
        ).fetchall()
    return msgspec.convert(rows, list[Entry])


def read_entries(conn: Connection, numbers: Sequence[int]) -> list[Entry]:
    """Entries by their numbers, open or closed.

    Raises:
        ConfigurationError: There is none of such a number.
    """
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            _SELECT + "WHERE quarantine_id = ANY (%s) ORDER BY quarantine_id", (list(numbers),)
        ).fetchall()
    if missing := sorted(set(numbers) - {row["quarantine_id"] for row in rows}):
        raise ConfigurationError(
            f"There is no entry {', '.join(map(str, missing))} in quarantine. "
            "`assay quarantine list` shows those that are open."
        )
    return msgspec.convert(rows, list[Entry])


def refuse_closed(entries: Sequence[Entry]) -> None:
    """Make sure that a decision is about open entries.

    Raises:
        ConfigurationError: One is closed; by what and when is told.
    """
    for entry in entries:
        if entry.closed_at is not None:
            raise ConfigurationError(
                f"Entry {entry.quarantine_id} is closed since {entry.closed_at:%Y-%m-%d %H:%M} by "
                f"{entry.closed_by}: there is nothing left to decide."
            )


def drop_entries(conn: Connection, numbers: Sequence[int], *, person: str, reason: str) -> list[Entry]:
    """Close entries for good, with name and reason; their rows stay in the ledger and reach no table.

    An entry comes again when the source sends the row again and it is still wrong.

    Raises:
        ConfigurationError: There is no such entry, or it is closed.
    """
    with conn.transaction():
        conn.execute("SELECT FROM assay.quarantine WHERE quarantine_id = ANY (%s) FOR UPDATE", (numbers,))
        entries = read_entries(conn, numbers)
        refuse_closed(entries)
        conn.execute(
            "UPDATE assay.quarantine SET closed_at = clock_timestamp(), closed_by = %s, close_reason = %s "
            "WHERE quarantine_id = ANY (%s)",
            (person, storable_text(reason), numbers),
        )
    return entries
