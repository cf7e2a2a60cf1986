"""One table's disposition played by itself, without the rest of a publication."""

import datetime as dt
from pathlib import Path

import polars as pl
from psycopg import sql

from tasks.handover import TableVerdict
from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection
from tasks.load.ddl import column_types, create_table, read_columns
from tasks.load.dispositions.disposition import disposition_of
from tasks.load.shape import target_columns
from tasks.load.staging import stage_rows
from tasks.pipeline import Table
from tests.integration.tasks.load.builders import NOON

LOAD_ID = "load-1"
KINDS = ("changed", "gone", "places", "ends", "kept")


def stage(conn: Connection, folder: Path, table: Table, frame: pl.DataFrame) -> Batch:
    """Copy a frame into the staging table of a load."""
    file = folder / "clean.parquet"
    frame.write_parquet(file)
    verdict = TableVerdict(
        table=table.name, resource=table.resource, verdict="passed", transformed=frame.height, superseded=0,
        quarantined=0, clean_count=frame.height, clean=str(file),
    )  # fmt: skip
    assert stage_rows(conn, LOAD_ID, table, verdict) == frame.height
    return Batch(
        "public", table, LOAD_ID, column_types(table.name, frame.schema), frame.height, NOON, is_whole=True
    )


def apply(conn: Connection, batch: Batch) -> Changes:
    """Change the table by what is staged, in a transaction of its own."""
    disposition = disposition_of(batch.table)
    with conn.transaction():
        if not read_columns(conn, "public", batch.table.name):
            create_table(conn, "public", batch.table.name, target_columns(batch.table, batch.types))
            return disposition.fill_new(conn, batch)
        if batch.key:
            conn.execute(
                batch.fill(
                    "CREATE TEMP TABLE {kept} ON COMMIT DROP AS SELECT {key} FROM {target} WHERE false"
                )
            )
        changes = disposition.find_changes(conn, batch)
        disposition.write_rows(conn, batch, changes)
        disposition.delete_rows(conn, batch, changes)
        for kind in KINDS:
            conn.execute(
                sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(f"{kind}_{batch.table.name}"))
            )
        return changes


def load(
    conn: Connection, folder: Path, table: Table, frame: pl.DataFrame, at: dt.datetime = NOON
) -> Changes:
    """Stage a frame and change the table by it."""
    batch = stage(conn, folder, table, frame)
    return apply(conn, Batch(**(vars(batch) | {"loaded_at": at})))
