"""Rows of ten columns on their way into a table, as the load step brings them there."""

from pathlib import Path

import polars as pl

from tasks.handover import TableVerdict
from tasks.load.applying import PLANNING
from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection
from tasks.load.ddl import column_types, create_table
from tasks.load.dispositions.disposition import disposition_of
from tasks.load.staging import stage_rows
from tasks.pipeline import Table
from tests.integration.tasks.load.builders import NOON

FLIGHTS = 336_776
MILLIONS = 10_000_000
MERGED = Table(name="items", primary_key=("id",))
REPLACED = Table(name="items", primary_key=("id",), disposition="replace")


def make_rows(folder: Path, rows: int, *, changed_every: int = 0, only_changed: bool = False) -> Path:
    """A Parquet file; one row in `changed_every` has another price, and the others can be left out."""
    file = folder / f"rows-{rows}-{changed_every}-{only_changed}.parquet"
    if file.exists():
        return file
    key = pl.int_range(rows, eager=False).alias("id")
    is_changed = pl.col("id") % changed_every == 0 if changed_every else pl.lit(value=False)
    at = pl.lit(NOON) + pl.duration(seconds=pl.col("id"))
    frame = pl.LazyFrame({"one": [0]}).select(key)
    (frame.filter(is_changed) if only_changed else frame).select(
        "id",
        carrier=pl.lit("UA"),
        tailnum=pl.format("N{}", pl.col("id") % 4000),
        origin=pl.lit("EWR"),
        day=(pl.col("id") % 365).cast(pl.Int32),
        minutes=(pl.col("id") * 7 % 300).cast(pl.Int32),
        price=pl.col("id") * 0.25 + is_changed.cast(pl.Int64),
        is_late=pl.col("id") % 3 == 0,
        sched_at=at,
        updated_at=at,
    ).sink_parquet(file)
    return file


def make_batch(table: Table, file: Path, load_id: str) -> Batch:
    """What is staged of a file, or will be."""
    frame = pl.scan_parquet(file)
    rows = int(frame.select(pl.len()).collect().item())
    types = column_types("items", frame.collect_schema())
    return Batch("public", table, load_id, types, rows, NOON, is_whole=table.disposition == "replace")


def stage(conn: Connection, table: Table, file: Path, load_id: str = "bench-1") -> Batch:
    """Copy a file into staging."""
    batch = make_batch(table, file, load_id)
    verdict = TableVerdict(
        table=table.name, resource=table.name, verdict="passed", transformed=batch.staged, superseded=0,
        quarantined=0, clean_count=batch.staged, clean=str(file),
    )  # fmt: skip
    stage_rows(conn, load_id, table, verdict)
    return batch


def fill(conn: Connection, batch: Batch) -> Changes:
    """The first load into a new table."""
    with conn.transaction():
        create_table(conn, "public", batch.table.name, batch.types)
        return disposition_of(batch.table).fill_new(conn, batch)


def apply(conn: Connection, batch: Batch) -> Changes:
    """Change the table by what is staged."""
    disposition = disposition_of(batch.table)
    with conn.transaction():
        conn.execute(PLANNING)
        conn.execute(
            batch.fill("CREATE TEMP TABLE {kept} ON COMMIT DROP AS SELECT {key} FROM {target} WHERE false")
        )
        changes = disposition.find_changes(conn, batch)
        if not changes.is_nothing:
            disposition.write_rows(conn, batch, changes)
            disposition.delete_rows(conn, batch, changes)
    return changes
