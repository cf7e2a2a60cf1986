"""Replace without a key: rows are the same when all columns are, and count as often as they are there."""

from collections.abc import Sequence

from psycopg import sql

from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection, fetch_int
from tasks.load.ddl import identifiers
from tasks.load.deleting import delete_or_explain
from tasks.load.diff import refuse_interference
from tasks.load.dispositions.keyed import fill_new

__all__ = ["delete_rows", "fill_new", "find_changes", "select_touched", "write_rows"]


def find_changes(conn: Connection, batch: Batch) -> Changes:
    """Note the rows, with their copies, that only staging has and that only the target has.

    Other writers wait until the end of the transaction: rows without a key are found by their place.
    """
    conn.execute(batch.fill("LOCK TABLE {target} IN SHARE ROW EXCLUSIVE MODE"))
    for noted, has, lacks in (
        (batch.changed, batch.staging, batch.target),
        (_gone(batch), batch.target, batch.staging),
    ):
        conn.execute(
            batch.fill(
                "CREATE TEMP TABLE {noted} ON COMMIT DROP AS "
                "SELECT {columns} FROM {has} EXCEPT ALL SELECT {columns} FROM {lacks}",
                noted=noted,
                has=has,
                lacks=lacks,
            )
        )
    inserted = fetch_int(conn, batch.fill("SELECT count(*) FROM {changed}"))
    gone = fetch_int(conn, batch.fill("SELECT count(*) FROM {gone}", gone=_gone(batch)))
    return Changes(inserted=inserted, deleted=gone, absent=gone, unchanged=batch.staged - inserted)


def select_touched(batch: Batch, columns: Sequence[str]) -> sql.Composed:
    """These columns of the rows that come and go."""
    return batch.fill(
        "SELECT {names} FROM {changed} UNION SELECT {names} FROM {gone}",
        names=identifiers(columns),
        gone=_gone(batch),
    )


def write_rows(conn: Connection, batch: Batch, changes: Changes) -> None:
    """Insert the rows that only staging has."""
    if changes.inserted:
        conn.execute(batch.fill("INSERT INTO {target} ({columns}) SELECT {columns} FROM {changed}"))


def delete_rows(conn: Connection, batch: Batch, changes: Changes) -> None:
    """Delete as many copies of a row as only the target has.

    Rows are compared as records, to which null equals null.
    """
    if not changes.deleted:
        return
    conn.execute(
        batch.fill(
            "CREATE TEMP TABLE {places} ON COMMIT DROP AS SELECT place FROM ("
            "SELECT old.place, gone.copies, row_number() OVER (PARTITION BY old.record) AS copy "
            "FROM (SELECT ctid AS place, ROW({columns}) AS record FROM {target}) old "
            "JOIN (SELECT ROW({columns}) AS record, count(*) AS copies FROM {gone} GROUP BY 1) gone "
            "ON old.record = gone.record) numbered WHERE copy <= copies",
            places=_places(batch),
            gone=_gone(batch),
        )
    )
    deleted = delete_or_explain(
        conn, batch, sql.SQL("{} doomed WHERE old.ctid = doomed.place").format(_places(batch))
    )
    refuse_interference(batch, "deleted", deleted, changes.deleted)


def _gone(batch: Batch) -> sql.Identifier:
    return sql.Identifier(f"gone_{batch.table.name}")


def _places(batch: Batch) -> sql.Identifier:
    return sql.Identifier(f"places_{batch.table.name}")
