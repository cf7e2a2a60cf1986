"""The tables of a pipeline in the publishing transaction: find changes, write them, delete what is gone."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tasks.handover import ExpectationOutcome, Load
from tasks.load import tables
from tasks.load.absence import (
    ends_absent,
    has_unknown_keys,
    keep_quarantined_keys,
    refuse_shrinking,
    tell_kept,
)
from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection, fetch_int
from tasks.load.ddl import create_table, qualified, read_columns
from tasks.load.dispositions.disposition import disposition_of
from tasks.load.judged import BlockedInTransactionError, Judged
from tasks.load.refreshing import as_refreshed
from tasks.load.reporting import note_touched
from tasks.load.shape import target_columns
from tasks.pipeline import Pipeline, Table
from tasks.timings import part

log = logging.getLogger(__name__)

GROWN_BYTES = 16 * 2**20
"""Growth that is worth a word, when it is half of what the table was."""
PLANNING = """
SELECT set_config(name, '16MB', true) FROM pg_settings WHERE name = 'work_mem' AND setting::int < 16 * 1024
UNION ALL
SELECT set_config(name, '1.1', true) FROM pg_settings WHERE name = 'random_page_cost' AND setting::float > 1.1
"""
"""What comparing rows needs, where the server gives less. With Postgres's 4 MB, 336,776 flights go to files
and back; with its page cost for turning disks, an increment of 1 % reads the whole target, twice, although
its keys lie mostly side by side."""


@dataclass(frozen=True)
class Applied:
    """What a load did to a table: in rows, in bytes on disk, and what people should know of it."""

    changes: Changes
    grown_bytes: int = 0
    outcomes: tuple[ExpectationOutcome, ...] = ()


@part("tables")
def apply_tables(
    conn: Connection,
    pipeline: Pipeline,
    load: Load,
    judged: Judged,
    types: Mapping[str, Mapping[str, str]],
) -> dict[str, Applied]:
    """Change all tables of a pipeline by what is staged.

    Rows are written in the declared order of the tables and deleted in the reverse one, so that what points
    at a row goes before it.

    Raises:
        BlockedInTransactionError: A table would shrink more than is declared.
        ConfigurationError: A table does not fit, or rows of other tables depend on what is gone.
        RetriableError: Another session changed a table meanwhile.
    """
    conn.execute(PLANNING)
    # Foreign keys that can wait are checked when all tables are there.
    conn.execute("SET CONSTRAINTS ALL DEFERRED")
    batches = [_make_batch(pipeline, table, load, judged, types[table.name]) for table in pipeline.tables]
    sizes = {batch.table.name: _size(conn, batch) for batch in batches}
    applied = {b.table.name: _find(conn, pipeline, load, b, judged) for b in batches}
    if shrinking := [o for each in applied.values() for o in each.outcomes if o.blocks]:
        raise BlockedInTransactionError(shrinking)
    pending = [batch for batch in batches if not applied[batch.table.name].changes.is_first]
    _write(conn, pipeline, pending, applied)
    for batch in batches:
        tables.record_table(conn, pipeline, batch.table, load, target_columns(batch.table, batch.types))
    return {
        batch.table.name: _measure(conn, batch, applied[batch.table.name], sizes[batch.table.name])
        for batch in batches
    }


def _make_batch(
    pipeline: Pipeline, table: Table, load: Load, judged: Judged, types: Mapping[str, str]
) -> Batch:
    verdict = judged.verdicts[table.name]
    return Batch(
        schema=pipeline.target_schema,
        table=as_refreshed(pipeline, table, load),
        load_id=load.load_id,
        types=types,
        staged=verdict.clean_count,
        loaded_at=load.started_at,
        is_whole=pipeline.resource(table.resource).incremental is None,
        keeps_absent=bool(table.primary_key) and has_unknown_keys(verdict, judged.extracted[table.resource]),
    )


def _find(conn: Connection, pipeline: Pipeline, load: Load, batch: Batch, judged: Judged) -> Applied:
    """Create and fill a table that is not there yet; find what changes in one that is."""
    table, disposition = batch.table, disposition_of(batch.table)
    tables.refuse_other_writer(pipeline, table, tables.read_known(conn, batch.schema, table.name))
    if not read_columns(conn, batch.schema, table.name):
        create_table(conn, batch.schema, table.name, target_columns(table, batch.types))
        tables.record_creation(conn, load, batch.schema, table.name)
        return Applied(disposition.fill_new(conn, batch))
    if ends_absent(table) and batch.key:
        keep_quarantined_keys(conn, batch, judged.verdicts[table.name])
    changes = disposition.find_changes(conn, batch)
    told = tell_kept(batch, changes)
    if judged.accepted_by is None:
        told += refuse_shrinking(conn, batch, changes)
    return Applied(changes, outcomes=tuple(told))


def _write(
    conn: Connection, pipeline: Pipeline, batches: list[Batch], applied: Mapping[str, Applied]
) -> None:
    for batch in batches:
        for report in pipeline.reports:
            if report.table == batch.table.name:
                touched = disposition_of(batch.table).select_touched(batch, report.group_by)
                note_touched(conn, report, touched)
    for batch, changes in _changing(batches, applied):
        disposition_of(batch.table).write_rows(conn, batch, changes)
    for batch, changes in _changing(reversed(batches), applied):
        disposition_of(batch.table).delete_rows(conn, batch, changes)


def _changing(
    batches: Iterator[Batch] | list[Batch], applied: Mapping[str, Applied]
) -> Iterator[tuple[Batch, Changes]]:
    for batch in batches:
        changes = applied[batch.table.name].changes
        if not changes.is_nothing:
            yield batch, changes


def _size(conn: Connection, batch: Batch) -> int:
    name = qualified(batch.schema, batch.table.name).as_string(conn)
    return fetch_int(conn, "SELECT coalesce(pg_total_relation_size(to_regclass(%s)), 0)", name)


def _measure(conn: Connection, batch: Batch, applied: Applied, before: int) -> Applied:
    """How much larger the table is: old versions of rows stay until they are vacuumed."""
    if not before or applied.changes.is_nothing:
        return applied
    grown = _size(conn, batch) - before
    if grown > max(before / 2, GROWN_BYTES):
        log.warning(
            "%s: %d rows rewritten or deleted, %d new; the table grew from %.0f to %.0f MiB. Autovacuum "
            "makes the room of old versions free for later loads, it does not give it back",
            *(batch.table.name, applied.changes.updated + applied.changes.deleted, applied.changes.inserted),
            *(before / 2**20, (before + grown) / 2**20),
        )
    return replace(applied, grown_bytes=grown)
