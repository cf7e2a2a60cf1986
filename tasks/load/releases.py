"""Releases: quarantined rows that pass today's gate, loaded without the API.

A release is a load of its own in the ledger, named after the one that quarantined the row last. Like a replay
it leaves the cursor, and any load that is under way, as they are.
"""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from psycopg import sql
from psycopg.types.json import Jsonb

from tasks.errors import ConfigurationError
from tasks.handover import Extracted, TableVerdict
from tasks.load import tables
from tasks.load.connection import Connection, limit_transaction
from tasks.load.ddl import qualified, read_columns
from tasks.load.entries import Entry
from tasks.load.judged import Judged, Release
from tasks.load.ledger import OpenLoad, close_crashed, insert_attempt, read_cursors
from tasks.load.reading import read_rows
from tasks.pipeline import Pipeline, Table
from tasks.pipeline.table import VALID_FROM, VALID_TO

_NEWER = (
    "SELECT newer.quarantine_id FROM assay.quarantine newer JOIN assay.quarantine older "
    "USING (pipeline, table_name, key) WHERE older.quarantine_id = ANY (%s) AND newer.closed_at IS NULL "
    "AND newer.last_load_id <> older.last_load_id AND newer.last_seen_at > older.last_seen_at"
)


def narrow_pipeline(pipeline: Pipeline, entries: Sequence[Entry]) -> Pipeline:
    """The pipeline with nothing but the entries' table and the reports over it.

    Raises:
        ConfigurationError: The entries are of several tables; the table is not declared any more; they hold
            records instead of rows; or every load brings the whole table, so that the next one decides.
    """
    if len({(entry.pipeline, entry.table_name) for entry in entries}) != 1:
        raise ConfigurationError("Entries of several tables cannot be released together; one table a time.")
    name = entries[0].table_name
    table = next((table for table in pipeline.tables if table.name == name), None)
    if table is None:
        raise ConfigurationError(f"{pipeline.name} has no table {name!r} any more: drop the entries.")
    if records := [entry for entry in entries if entry.is_rejected_record]:
        first = records[0]
        raise ConfigurationError(
            f"Entry {first.quarantine_id} is a record that did not fit the schema ({first.reasons[0]}), not "
            "a row: it was never decoded and cannot be released. Correct the resource's schema and apply the "
            f"load again: assay replay {pipeline.name} --load {first.last_load_id}"
        )
    is_whole = pipeline.resource(table.resource).incremental is None
    if is_whole and (
        table.disposition == "replace" or (table.disposition == "scd2" and not table.version_by)
    ):
        raise ConfigurationError(
            f"Every load brings all of {name} ({table.disposition}), so that the next one would undo a "
            f"release. Correct the suite, then apply the latest load again: assay replay {pipeline.name} "
            f"--load {entries[-1].last_load_id}; or run the pipeline."
        )
    reports = tuple(report for report in pipeline.reports if report.table == name)
    return pipeline.model_copy(update={"tables": (table,), "reports": reports})


def refuse_superseded(conn: Connection, entries: Sequence[Entry]) -> None:
    """Make sure that no newer row of the same key waits in quarantine: the release would close its entry.

    Raises:
        ConfigurationError: One does.
    """
    newer = conn.execute(_NEWER, ([entry.quarantine_id for entry in entries],)).fetchall()
    if newer:
        numbers = ", ".join(sorted({str(number) for (number,) in newer}))
        raise ConfigurationError(
            f"A newer row of the same key is in quarantine too: entry {numbers}. Release that one, or drop "
            "it first."
        )


def type_texts(conn: Connection, pipeline: Pipeline) -> Pipeline:
    """The pipeline whose table takes text for its UUIDs and its JSONB: so they are read back."""
    [table] = pipeline.tables
    kinds = read_columns(conn, pipeline.target_schema, table.name)
    texts = {name: kind for name, kind in kinds.items() if kind in {"uuid", "jsonb"}}
    return pipeline.model_copy(update={"tables": (table.model_copy(update={"types": texts}),)})


def write_rows(conn: Connection, pipeline: Pipeline, entries: Sequence[Entry], folder: Path) -> Path:
    """The entries' rows as the table would have them, in a Parquet file.

    Raises:
        ConfigurationError: The table is not there, or is another by now, so that values would be lost.
    """
    [table] = pipeline.tables
    there = read_columns(conn, pipeline.target_schema, table.name)
    known = tables.read_known(conn, pipeline.target_schema, table.name).columns
    columns = [name for name in known if name in there and name not in {VALID_FROM, VALID_TO}]
    for entry in entries:
        _refuse_unfit(pipeline, table, entry, columns)
    # In the database, since Python's JSON has no exact numbers.
    source = sql.SQL(
        "assay.quarantine entry, jsonb_populate_record(NULL::{}, entry.row) typed "
        "WHERE entry.quarantine_id = ANY (%s) ORDER BY array_position(%s, entry.quarantine_id)"
    ).format(qualified(pipeline.target_schema, table.name))
    numbers = [entry.quarantine_id for entry in entries]
    frame = read_rows(conn, {name: there[name] for name in columns}, source, numbers, numbers)
    if table.tombstone is not None:
        frame = frame.with_columns(pl.lit(value=False).alias(table.tombstone))
    file = folder / f"{table.name}.parquet"
    frame.write_parquet(file)
    return file


def _refuse_unfit(pipeline: Pipeline, table: Table, entry: Entry, columns: Sequence[str]) -> None:
    unknown = sorted(set(entry.row) - {*columns, table.tombstone})
    is_dead = table.tombstone is not None and entry.row.get(table.tombstone) not in {None, False}
    has_nul = "\\u0000" in repr(list(entry.row.values()))
    match (unknown, is_dead, has_nul):
        case ([_, *_], _, _):
            problem = f"has columns that {table.name} does not: {', '.join(unknown)}"
        case (_, True, _):
            problem = f"is marked as deleted by {table.tombstone}"
        case (_, _, True):
            problem = "holds U+0000, which the ledger keeps as its escape"
        case _:
            return
    raise ConfigurationError(
        f"Entry {entry.quarantine_id} {problem}; it cannot be released. Apply its load again: "
        f"assay replay {pipeline.name} --load {entry.last_load_id}"
    )


def open_release(conn: Connection, pipeline: Pipeline, entry: Entry, *, run_url: str | None) -> OpenLoad:
    """Open the load of a release; call it while holding the pipeline."""
    with conn.transaction():
        limit_transaction(conn, statement_timeout_s=120)
        close_crashed(conn, pipeline.name)
        origin = conn.execute(
            "SELECT coalesce(replay_of, load_id) FROM assay.loads WHERE load_id = %s", (entry.last_load_id,)
        ).fetchone()
        assert origin is not None
        load_id = f"{origin[0]}-release-{secrets.token_hex(4)}"
        cursors = read_cursors(conn, pipeline.name)
        conn.execute(
            "INSERT INTO assay.loads "
            "(load_id, pipeline, fingerprint, cursors_before, full_refresh, status, replay_of, is_release) "
            "VALUES (%s, %s, %s, %s, false, 'open', %s, true)",
            (load_id, pipeline.name, pipeline.fingerprint(), Jsonb(cursors), origin[0]),
        )
        attempt_no, started_at = insert_attempt(conn, load_id, run_url)
    return OpenLoad(
        load_id, 1, attempt_no, dict(cursors), started_at, is_resumed=False, replay_of=str(origin[0])
    )


def judge_release(pipeline: Pipeline, verdict: TableVerdict, release: Release) -> Judged:
    """What the publication of a release needs to know: nothing was extracted, and no cursor moves."""
    extracted: Mapping[str, Extracted] = {
        resource.name: Extracted(resource=resource.name, frames="", received=0, decoded=0)
        for resource in pipeline.resources
    }
    return Judged({verdict.table: verdict}, extracted, release=release)
