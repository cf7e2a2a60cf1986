"""What the ledger remembers of each attempt: counts, validations, and the report read back from them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from psycopg.rows import dict_row

from tasks.errors import ConfigurationError
from tasks.handover import (
    ExpectationOutcome,
    Extracted,
    Load,
    LoadLine,
    LoadReport,
    TableCounts,
    TableVerdict,
)
from tasks.load.connection import Connection, named_query
from tasks.load.jsonb import storable_json, storable_text
from tasks.load.tables import read_changes
from tasks.timings import Span

BAD_STATES = ("failed", "error")


def count_table(
    verdict: TableVerdict, extracted: Extracted, outcomes: Sequence[ExpectationOutcome]
) -> TableCounts:
    """A table's counts before anything is written."""
    own = [outcome for outcome in outcomes if outcome.table == verdict.table]
    has_failed = any(outcome.state in BAD_STATES for outcome in own)
    return TableCounts(
        table=verdict.table,
        verdict="warned" if verdict.verdict == "passed" and has_failed else verdict.verdict,
        received=extracted.received,
        rejected=extracted.rejected_count,
        superseded=verdict.superseded,
        quarantined=verdict.quarantined,
        newly_quarantined=0,
        inserted=0,
        updated=0,
        unchanged=0,
        expectations=len(own),
        expectations_passed=sum(outcome.state not in BAD_STATES for outcome in own),
    )


def record_counts(
    conn: Connection, load: Load, counts: Sequence[TableCounts], report_rows: Mapping[str, int]
) -> None:
    """Record an attempt's rows per table, and the rows written to its reporting tables."""
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO assay.table_loads VALUES (%(load_id)s, %(attempt_no)s, %(position)s, %(table)s, "
            "%(verdict)s, %(received)s, %(rejected)s, %(superseded)s, %(quarantined)s, "
            "%(newly_quarantined)s, %(inserted)s, %(updated)s, %(unchanged)s, "
            "%(expectations)s, %(expectations_passed)s, %(deleted)s, %(grown_bytes)s)",
            [
                msgspec.structs.asdict(count)
                | {"load_id": load.load_id, "attempt_no": load.attempt_no, "position": position}
                for position, count in enumerate(counts)
            ],
        )
    conn.execute(
        "UPDATE assay.attempts SET report_tables = %s WHERE load_id = %s AND attempt_no = %s",
        (storable_json(dict(report_rows)), load.load_id, load.attempt_no),
    )


def record_validations(conn: Connection, load: Load, outcomes: Sequence[ExpectationOutcome]) -> None:
    """Record an attempt's validations and whether each is news; call it after `record_counts`."""
    rows = [_validation_row(load, position, outcome) for position, outcome in enumerate(outcomes)]
    with conn.cursor() as cursor:
        cursor.executemany(named_query("record_validation"), rows)


def _validation_row(load: Load, position: int, outcome: ExpectationOutcome) -> dict[str, Any]:
    return msgspec.structs.asdict(outcome) | {
        "load_id": load.load_id,
        "attempt_no": load.attempt_no,
        "pipeline": load.pipeline,
        "position": position,
        "message": outcome.message and storable_text(outcome.message),
        "examples": storable_json([storable_text(example) for example in outcome.examples]),
        "result": storable_json(outcome.result),
    }


def record_timings(conn: Connection, load_id: str, attempt_no: int, spans: Sequence[Span]) -> None:
    """Record where an attempt's time went, if anything was measured."""
    if spans:
        conn.execute(
            "UPDATE assay.attempts SET timings = %s WHERE load_id = %s AND attempt_no = %s",
            (storable_json(msgspec.to_builtins(spans)), load_id, attempt_no),
        )


def read_kept_reports(conn: Connection, load: Load) -> set[str]:
    """The reporting tables that the pipeline's publication before this load kept up."""
    row = conn.execute(
        "SELECT a.report_tables FROM assay.publications p JOIN assay.attempts a USING (load_id, attempt_no) "
        "WHERE p.pipeline = %s AND p.load_id <> %s ORDER BY p.published_at DESC LIMIT 1",
        (load.pipeline, load.load_id),
    ).fetchone()
    return set(msgspec.convert(row[0], dict[str, int])) if row else set()


def read_report(conn: Connection, load_id: str, attempt_no: int) -> LoadReport:
    """An attempt as people are told of it.

    Raises:
        ConfigurationError: There is no such attempt.
    """
    key = (load_id, attempt_no)
    with conn.cursor(row_factory=dict_row) as cursor:
        attempt = cursor.execute(named_query("read_attempt"), key).fetchone()
        if attempt is None:
            raise ConfigurationError(
                f"There is no attempt {attempt_no} of load {load_id!r}. See `assay status`."
            )
        tables = cursor.execute(
            "SELECT t.*, table_name AS table FROM assay.table_loads t "
            "WHERE (load_id, attempt_no) = (%s, %s) ORDER BY position",
            key,
        ).fetchall()
        outcomes = cursor.execute(
            'SELECT v.*, table_name AS table, column_name AS "column" FROM assay.validations v '
            "WHERE (load_id, attempt_no) = (%s, %s) ORDER BY position",
            key,
        ).fetchall()
    return LoadReport(
        pipeline=attempt["pipeline"],
        load_id=load_id,
        attempt_no=attempt_no,
        status=attempt["status"],
        started_at=attempt["started_at"],
        ended_at=attempt["ended_at"] or attempt["started_at"],
        tables=msgspec.convert(tables, tuple[TableCounts, ...]),
        reports=attempt["report_tables"],
        outcomes=msgspec.convert(outcomes, tuple[ExpectationOutcome, ...]),
        schema_changes=read_changes(conn, load_id, attempt_no),
        error=attempt["error"],
        run_url=attempt["run_url"],
        accepted_by=attempt["accepted_by"],
        accept_reason=attempt["accept_reason"],
        timings=msgspec.convert(attempt["timings"], tuple[Span, ...]),
        alert=_is_news(attempt),
        recovered=attempt["previous_status"] in {"blocked", "failed"}
        and attempt["status"] in {"published", "no new rows"},
    )


def _is_news(attempt: Mapping[str, Any]) -> bool:
    same = (attempt["status"], attempt["blockers"]) == (
        attempt["previous_status"],
        attempt["previous_blockers"],
    )
    return not (same and attempt["status"] in {"blocked", "failed"})


def read_lines(conn: Connection, pipeline: str | None = None, *, limit: int = 200) -> list[LoadLine]:
    """The latest attempts as lines, newest first, of one pipeline or of all."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(named_query("read_lines"), {"pipeline": pipeline, "limit": limit}).fetchall()
    return msgspec.convert(rows, list[LoadLine])
