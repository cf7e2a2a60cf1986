"""Reading the quarantine for people, and what they decide without loading anything."""

import getpass
import socket
from collections.abc import Sequence

from tasks.load import entries, ledger
from tasks.load.connection import open_connection, resolve_dsn
from tasks.load.entries import Entry
from tasks.settings import read_settings


def read_open(pipeline: str | None, table: str | None, *, last: int) -> list[Entry]:
    """The open entries, those seen last first."""
    with open_connection(resolve_dsn(read_settings())) as conn:
        ledger.migrate(conn)
        return entries.list_open(conn, pipeline, table, limit=last)


def read_entry(number: int) -> Entry:
    """One entry, open or closed."""
    with open_connection(resolve_dsn(read_settings())) as conn:
        ledger.migrate(conn)
        return entries.read_entries(conn, [number])[0]


def drop(numbers: Sequence[int], reason: str) -> list[Entry]:
    """Close entries for good, with the person's name and reason."""
    with open_connection(resolve_dsn(read_settings())) as conn:
        ledger.migrate(conn)
        return entries.drop_entries(conn, list(numbers), person=name_person(), reason=reason)


def name_person() -> str:
    """Who decides, for the record."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
