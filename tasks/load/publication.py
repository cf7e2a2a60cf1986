"""The publishing transaction: everything a load changes becomes visible at once, or nothing does."""

import logging
from collections.abc import Mapping, Sequence

import msgspec
import polars as pl
import psycopg
from psycopg import sql

from tasks.errors import RetriableError
from tasks.handover import ExpectationOutcome, Load, TableCounts
from tasks.load import history, ledger
from tasks.load.applying import Applied, apply_tables
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
from tasks.load.cursors import move_cursors
from tasks.load.ddl import column_types, ensure_schema
from tasks.load.fitting import Types, fit_tables
from tasks.load.judged import BlockedInTransactionError, Judged
from tasks.load.quarantine import close_gone, close_released, close_replaced, keep_quarantined
from tasks.load.reporting import refresh_report
from tasks.load.schemas import keep_schemas
from tasks.load.staging import assert_staged, drop_staging, staging_name
from tasks.pipeline import Pipeline, Table
from tasks.timings import part

log = logging.getLogger(__name__)


def publish_load(
    dsn: str, pipeline: Pipeline, load: Load, judged: Judged, *, statement_timeout_s: float
) -> None:
    """Publish a staged load in one transaction; a load that is published already is left as it is.

    Raises:
        BlockedInTransactionError: A critical table-scoped expectation failed, or a table would shrink;
            nothing is published.
        RetriableError: The connection or the staging was lost before the commit; nothing is published.
        ConfigurationError: A table or a report does not fit what is declared; nothing is published.
        FatalError: Another load moved the cursor, or another run took over, meanwhile; or it stays unknown
            whether the commit held.
    """
    xid: str | None = None
    types = {
        name: column_types(name, pl.Schema(pl.read_parquet_schema(verdict.clean)))
        for name, verdict in judged.verdicts.items()
    }
    try:
        with open_connection(dsn) as conn:
            fit_tables(conn, pipeline, load, types, statement_timeout_s=statement_timeout_s)
            with conn.transaction():
                limit_transaction(conn, statement_timeout_s=statement_timeout_s)
                if _claim_publication(conn, load):
                    ledger.claim_attempt(conn, load.load_id, load.attempt_no)
                    _publish(conn, pipeline, load, judged, types)
                else:
                    # An earlier attempt's COMMIT was under way when its process died, and held.
                    ledger.end_attempt(conn, load.load_id, load.attempt_no, "no new rows")
                # Last: without it, COMMIT was never sent.
                xid = str(fetch_one(conn, "SELECT pg_current_xact_id()::text")[0])
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


def _publish(conn: Connection, pipeline: Pipeline, load: Load, judged: Judged, types: Types) -> None:
    conn.execute(sql.SQL("SET LOCAL search_path = {}, public").format(sql.Identifier(pipeline.target_schema)))
    conn.execute("SET LOCAL timezone = 'UTC'")
    staged = {name: verdict.clean_count for name, verdict in judged.verdicts.items()}
    assert_staged(conn, load.load_id, staged)
    ensure_schema(conn, pipeline.target_schema)
    _lock_tables(conn, pipeline)
    move_cursors(conn, pipeline, load, judged)
    keep_schemas(conn, load, judged.extracted.values())
    applied = apply_tables(conn, pipeline, load, judged, types)
    written = _refresh_reports(conn, pipeline, load, applied)
    checked = _check_tables(conn, pipeline, judged, applied)
    if judged.release:
        close_released(conn, load, judged.release)
    new = {table.name: _quarantine(conn, pipeline, table, load, judged) for table in pipeline.tables}
    outcomes = [
        *(outcome for verdict in judged.verdicts.values() for outcome in verdict.outcomes),
        *(outcome for each in applied.values() for outcome in each.outcomes),
        *checked,
    ]
    counts = [
        _count(table, judged, applied[table.name], new[table.name], outcomes) for table in pipeline.tables
    ]
    history.record_counts(conn, load, counts, written)
    history.record_validations(conn, load, outcomes)
    is_empty = all(verdict.verdict == "no new rows" for verdict in judged.verdicts.values()) and all(
        each.changes.is_nothing for each in applied.values()
    )
    ledger.end_attempt(conn, load.load_id, load.attempt_no, "no new rows" if is_empty else "published")
    conn.execute("UPDATE assay.loads SET status = 'published' WHERE load_id = %s", (load.load_id,))


@part("reporting tables")
def _refresh_reports(
    conn: Connection, pipeline: Pipeline, load: Load, applied: Mapping[str, Applied]
) -> dict[str, int]:
    kept = history.read_kept_reports(conn, load) if pipeline.reports else set()
    return {
        report.name: refresh_report(
            conn,
            pipeline.target_schema,
            report,
            applied[report.table].changes,
            is_kept_up=report.name in kept,
        )
        for report in pipeline.reports
    }


def _lock_tables(conn: Connection, pipeline: Pipeline) -> None:
    """In one order, so that two pipelines that write the same tables cannot wait for each other.

    Before the cursors are compared: of two loads of one pipeline, the second is to see what the first moved.
    """
    for name in sorted([*(t.name for t in pipeline.tables), *(r.name for r in pipeline.reports)]):
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key("table", pipeline.target_schema, name),))


@part("table checks")
def _check_tables(
    conn: Connection, pipeline: Pipeline, judged: Judged, applied: Mapping[str, Applied]
) -> list[ExpectationOutcome]:
    """Table-scoped expectations, when any table of the pipeline has changed."""
    if all(each.changes.is_nothing for each in applied.values()):
        return []
    checks = [check for verdict in judged.verdicts.values() for check in verdict.checks]
    outcomes = run_checks(conn, pipeline.target_schema, checks)
    if judged.accepted_by is None and any(outcome.blocks for outcome in outcomes):
        raise BlockedInTransactionError(outcomes)
    return outcomes


@part("quarantine")
def _quarantine(conn: Connection, pipeline: Pipeline, table: Table, load: Load, judged: Judged) -> int:
    close_replaced(conn, pipeline.target_schema, load, table)
    verdict, extracted = judged.verdicts[table.name], judged.extracted[table.resource]
    new = keep_quarantined(conn, pipeline.target_schema, load, table, verdict, extracted)
    close_gone(conn, load, table)
    return new


def _count(
    table: Table, judged: Judged, applied: Applied, new: int, outcomes: Sequence[ExpectationOutcome]
) -> TableCounts:
    verdict, extracted = judged.verdicts[table.name], judged.extracted[table.resource]
    return msgspec.structs.replace(
        history.count_table(verdict, extracted, outcomes),
        inserted=applied.changes.inserted,
        updated=applied.changes.updated,
        deleted=applied.changes.deleted,
        unchanged=applied.changes.unchanged,
        newly_quarantined=new,
        grown_bytes=applied.grown_bytes,
    )


def _tidy_staging(conn: Connection, pipeline: Pipeline, load: Load) -> None:
    """The load is published, whatever happens here; what stays is dropped by the pipeline's next run."""
    names = [staging_name(load.load_id, table.name) for table in pipeline.tables]
    try:
        drop_staging(conn, names, lock_timeout_s=1)
    except psycopg.Error as exc:
        log.warning("%s: staging is left to the next run: %s", load.load_id, first_line(exc))
