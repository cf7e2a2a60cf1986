"""The publishing transaction: everything a load changes becomes visible at once, or nothing does."""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import polars as pl
import psycopg
from psycopg import sql

from tasks.errors import FatalError, RetriableError
from tasks.handover import ExpectationOutcome, Extracted, Load, TableCounts, TableVerdict
from tasks.load import history, ledger
from tasks.load.checks import run_checks
from tasks.load.commit import was_committed
from tasks.load.connection import (
    Connection,
    fetch_one,
    first_line,
    limit_transaction,
    lock_key,
    open_connection,
)
from tasks.load.ddl import ensure_schema
from tasks.load.merge import Merged, create_or_fit, fill_new, find_changed, write_changed
from tasks.load.quarantine import close_replaced, keep_quarantined
from tasks.load.reporting import note_touched, refresh_report
from tasks.load.staging import assert_staged, drop_staging, staging_name
from tasks.pipeline import Pipeline, Report, Table

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Judged:
    """What the steps before found, per table and per resource: all that a publication needs to know."""

    verdicts: Mapping[str, TableVerdict]
    extracted: Mapping[str, Extracted]
    accepted_by: str | None = None


class BlockedInTransactionError(Exception):
    """A critical table-scoped expectation failed: roll back, and record the block."""

    def __init__(self, outcomes: Sequence[ExpectationOutcome]) -> None:
        super().__init__("a critical table-scoped expectation failed")
        self.outcomes = tuple(outcomes)


def publish_load(
    dsn: str, pipeline: Pipeline, load: Load, judged: Judged, *, statement_timeout_s: float
) -> None:
    """Publish a staged load in one transaction; a load that is published already is left as it is.

    Raises:
        BlockedInTransactionError: A critical table-scoped expectation failed; nothing is published.
        RetriableError: The connection or the staging was lost before the commit; nothing is published.
        ConfigurationError: A table or a report does not fit what is declared; nothing is published.
        FatalError: Another load moved the cursor, or another run took over, meanwhile; or it stays unknown
            whether the commit held.
    """
    xid: str | None = None
    try:
        with open_connection(dsn) as conn:
            with conn.transaction():
                limit_transaction(conn, statement_timeout_s=statement_timeout_s)
                xid = str(fetch_one(conn, "SELECT pg_current_xact_id()::text")[0])
                if _claim_publication(conn, load):
                    ledger.claim_attempt(conn, load.load_id, load.attempt_no)
                    _publish(conn, pipeline, load, judged)
                else:
                    # An earlier attempt's COMMIT was under way when its process died, and held.
                    ledger.end_attempt(conn, load.load_id, load.attempt_no, "no new rows")
            _tidy_staging(conn, pipeline, load)
    except RetriableError:
        if xid is None or not was_committed(dsn, xid, load.load_id):
            raise
        log.warning("%s: the answer to COMMIT was lost, the load is published", load.load_id)


def _claim_publication(conn: Connection, load: Load) -> bool:
    """Write the load's publication, unless it has one; waits for an earlier attempt that is about to."""
    return bool(
        conn.execute(
            "INSERT INTO assay.publications (load_id, attempt_no, pipeline) VALUES (%s, %s, %s) "
            "ON CONFLICT (load_id) DO NOTHING",
            (load.load_id, load.attempt_no, load.pipeline),
        ).rowcount
    )


def _publish(conn: Connection, pipeline: Pipeline, load: Load, judged: Judged) -> None:
    conn.execute(sql.SQL("SET LOCAL search_path = {}, public").format(sql.Identifier(pipeline.target_schema)))
    conn.execute("SET LOCAL timezone = 'UTC'")
    staged = {name: verdict.clean_count for name, verdict in judged.verdicts.items()}
    assert_staged(conn, load.load_id, staged)
    ensure_schema(conn, pipeline.target_schema)
    _lock_tables(conn, pipeline)
    _move_cursors(conn, pipeline, load, judged)
    merged = {table.name: _merge(conn, pipeline, table, load, judged) for table in pipeline.tables}
    written = _refresh_reports(conn, pipeline, load, merged)
    checked = _check_tables(conn, pipeline, judged, merged)
    new = {table.name: _quarantine(conn, pipeline, table, load, judged) for table in pipeline.tables}
    outcomes = [*(o for v in judged.verdicts.values() for o in v.outcomes), *checked]
    counts = [
        _count(table, judged, merged[table.name], new[table.name], outcomes) for table in pipeline.tables
    ]
    history.record_counts(conn, load, counts, written)
    history.record_validations(conn, load, outcomes)
    is_empty = all(verdict.verdict == "no new rows" for verdict in judged.verdicts.values())
    ledger.end_attempt(conn, load.load_id, load.attempt_no, "no new rows" if is_empty else "published")
    conn.execute("UPDATE assay.loads SET status = 'published' WHERE load_id = %s", (load.load_id,))


def _merge(conn: Connection, pipeline: Pipeline, table: Table, load: Load, judged: Judged) -> Merged:
    schema, frame = pipeline.target_schema, pl.read_parquet_schema(judged.verdicts[table.name].clean)
    columns = list(frame)
    if create_or_fit(conn, schema, table, pl.Schema(frame)):
        return fill_new(conn, schema, table, load.load_id, columns)
    merged = find_changed(conn, schema, table, load.load_id, columns)
    for report in _reports_of(pipeline, table):
        note_touched(conn, schema, report, table, load.load_id)
    if not merged.is_unchanged:
        write_changed(conn, schema, table, load.load_id, columns)
    return merged


def _refresh_reports(
    conn: Connection, pipeline: Pipeline, load: Load, merged: Mapping[str, Merged]
) -> dict[str, int]:
    kept = history.read_kept_reports(conn, load) if pipeline.reports else set()
    return {
        report.name: refresh_report(
            conn, pipeline.target_schema, report, merged[report.table], is_kept_up=report.name in kept
        )
        for report in pipeline.reports
    }


def _reports_of(pipeline: Pipeline, table: Table) -> list[Report]:
    return [report for report in pipeline.reports if report.table == table.name]


def _lock_tables(conn: Connection, pipeline: Pipeline) -> None:
    """In one order, so that two pipelines that write the same tables cannot wait for each other.

    Before the cursors are compared: of two loads of one pipeline, the second is to see what the first moved.
    """
    for name in sorted([*(t.name for t in pipeline.tables), *(r.name for r in pipeline.reports)]):
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key("table", pipeline.target_schema, name),))


def _move_cursors(conn: Connection, pipeline: Pipeline, load: Load, judged: Judged) -> None:
    """Compare-and-set: the load is only right on top of the cursors that it started from.

    Raises:
        FatalError: They have moved.
    """
    before = fetch_one(conn, "SELECT cursors_before FROM assay.loads WHERE load_id = %s", load.load_id)[0]
    if before != (now := ledger.read_cursors(conn, load.pipeline)):
        raise FatalError(
            f"{load.load_id} starts from the cursors {before}, the ledger is at {now}: another load was "
            "published meanwhile. Run the pipeline again."
        )
    for resource in pipeline.resources:
        if resource.incremental is None:
            continue
        found = _cursor_of(pipeline, resource.name, judged)
        if found is not None and _is_later(found, now.get(resource.name)):
            conn.execute(
                "INSERT INTO assay.cursors (pipeline, resource, value, load_id) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (pipeline, resource) "
                "DO UPDATE SET value = EXCLUDED.value, load_id = EXCLUDED.load_id",
                (load.pipeline, resource.name, found, load.load_id),
            )


def _cursor_of(pipeline: Pipeline, resource: str, judged: Judged) -> str | None:
    """The least of the cursors of the tables that carry it; where no table does, the decoded one.

    A table whose rows were all quarantined holds the cursor back: they are to be asked for again. Not so when
    a person accepted the load without them.
    """
    if judged.accepted_by is not None:
        return judged.extracted[resource].greatest_cursor
    tables = [judged.verdicts[table.name] for table in pipeline.tables if table.resource == resource]
    carrying = [verdict for verdict in tables if verdict.carries_cursor and verdict.transformed]
    if not carrying:
        return judged.extracted[resource].greatest_cursor
    found = [verdict.cursor for verdict in carrying if verdict.cursor is not None]
    return min(found, key=dt.datetime.fromisoformat) if len(found) == len(carrying) else None


def _is_later(found: str, published: str | None) -> bool:
    return published is None or dt.datetime.fromisoformat(found) > dt.datetime.fromisoformat(published)


def _check_tables(
    conn: Connection, pipeline: Pipeline, judged: Judged, merged: Mapping[str, Merged]
) -> list[ExpectationOutcome]:
    """Table-scoped expectations, when any table of the pipeline has changed."""
    if all(change.is_unchanged for change in merged.values()):
        return []
    checks = [check for verdict in judged.verdicts.values() for check in verdict.checks]
    outcomes = run_checks(conn, pipeline.target_schema, checks)
    if judged.accepted_by is None and any(outcome.blocks for outcome in outcomes):
        raise BlockedInTransactionError(outcomes)
    return outcomes


def _quarantine(conn: Connection, pipeline: Pipeline, table: Table, load: Load, judged: Judged) -> int:
    close_replaced(conn, load, table)
    verdict = judged.verdicts[table.name]
    return keep_quarantined(
        conn, pipeline.target_schema, load, table, verdict, judged.extracted[table.resource]
    )


def _count(
    table: Table, judged: Judged, merged: Merged, new: int, outcomes: Sequence[ExpectationOutcome]
) -> TableCounts:
    verdict, extracted = judged.verdicts[table.name], judged.extracted[table.resource]
    counts = history.count_table(verdict, extracted, outcomes)
    return msgspec.structs.replace(
        counts,
        inserted=merged.inserted,
        updated=merged.updated,
        unchanged=verdict.clean_count - merged.inserted - merged.updated,
        newly_quarantined=new,
    )


def _tidy_staging(conn: Connection, pipeline: Pipeline, load: Load) -> None:
    """The load is published, whatever happens here; what stays is dropped by the pipeline's next run."""
    names = [staging_name(load.load_id, table.name) for table in pipeline.tables]
    try:
        drop_staging(conn, names, lock_timeout_s=1)
    except psycopg.Error as exc:
        log.warning("%s: staging is left to the next run: %s", load.load_id, first_line(exc))
