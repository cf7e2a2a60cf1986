"""The load step: stage what the gate passed, publish it or record why not, and tell the ledger."""

import getpass
import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import polars as pl

from tasks.errors import ConfigurationError
from tasks.handover import (
    ExpectationOutcome,
    Extracted,
    Load,
    Status,
    TableCounts,
    TableVerdict,
    Transformed,
)
from tasks.load import history, ledger
from tasks.load.connection import Connection, open_connection
from tasks.load.ddl import column_types
from tasks.load.judged import BlockedInTransactionError, Judged
from tasks.load.publication import publish_load
from tasks.load.settling import settle_staged
from tasks.load.staging import is_first_load, stage_rows
from tasks.pipeline import Pipeline, Table
from tasks.timings import timed_step

log = logging.getLogger(__name__)

JUDGED = "judged.json"
"""File in a blocked attempt's work folder that says all its acceptance needs to know."""


class JudgedFiles(msgspec.Struct, frozen=True):
    """What a blocked load leaves in its work folder, so that a person can accept it later."""

    load: Load
    verdicts: dict[str, TableVerdict]
    extracted: dict[str, Extracted]


@dataclass(frozen=True)
class Target:
    """The database that a pipeline loads into; its DSN is in no repr."""

    dsn: str = field(repr=False)
    statement_timeout_s: float = 600.0


@timed_step("stage", subject="table")
def stage_table(
    target: Target,
    pipeline: Pipeline,
    table: Table,
    load: Load,
    tables: Mapping[str, Transformed],
    verdict: TableVerdict,
) -> int:
    """Have one table's clean rows in staging, unless the gate blocks them; returns how many.

    Rows that were staged while the API was read stay there, but for those that the gate has taken out.
    """
    if verdict.verdict == "blocked":
        return 0
    transformed, timeout_s = tables[table.name], target.statement_timeout_s
    with open_connection(target.dsn) as conn:
        if not transformed.is_staged or not settle_staged(
            conn, load.load_id, table, transformed, verdict, statement_timeout_s=timeout_s
        ):
            types = column_types(table.name, pl.Schema(pl.read_parquet_schema(verdict.clean)))
            is_first = is_first_load(conn, pipeline, table, types)
            stage_rows(conn, load.load_id, table, verdict, is_first=is_first, statement_timeout_s=timeout_s)
    log.info("%s: %d rows staged", table.name, verdict.clean_count)
    return verdict.clean_count


@timed_step("load")
def load_tables(
    target: Target,
    pipeline: Pipeline,
    load: Load,
    verdicts: Sequence[TableVerdict],
    extracted: Sequence[Extracted],
    staged: Sequence[int],
) -> Status:
    """Publish a staged load, or record that the gate blocks it.

    Returns how the attempt ended: `published`, `no new rows` or `blocked`.

    Raises:
        PipelineError: Nothing was published; see `publish_load`.
    """
    judged = Judged({v.table: v for v in verdicts}, {e.resource: e for e in extracted})
    outcomes = [outcome for verdict in verdicts for outcome in verdict.outcomes]
    if any(verdict.verdict == "blocked" for verdict in verdicts):
        _record_block(target, load, judged, outcomes)
        return "blocked"
    try:
        publish_load(target.dsn, pipeline, load, judged, statement_timeout_s=target.statement_timeout_s)
    except BlockedInTransactionError as exc:
        _record_block(target, load, judged, [*outcomes, *exc.outcomes])
        return "blocked"
    log.info("%s: %d rows of %d tables published", load.load_id, sum(staged), len(verdicts))
    is_empty = all(verdict.verdict == "no new rows" for verdict in verdicts)
    return "no new rows" if is_empty else "published"


def record_failure(target: Target, load: Load, error: str) -> None:
    """Record that an attempt failed, in a transaction of its own; nothing it staged is visible."""
    with open_connection(target.dsn) as conn:
        ledger.end_attempt(conn, load.load_id, load.attempt_no, "failed", error=error)


def read_blocked(conn: Connection, load_id: str) -> JudgedFiles:
    """What the gate found for a blocked load.

    Raises:
        ConfigurationError: The load is unknown or not blocked, or its files are gone.
    """
    row = conn.execute("SELECT status, work FROM assay.loads WHERE load_id = %s", (load_id,)).fetchone()
    if row is None:
        raise ConfigurationError(f"There is no load {load_id!r}. `assay status` lists them.")
    status, work = row
    # A later attempt may have begun, and failed, since the gate blocked it.
    if status not in {"blocked", "open"} or work is None:
        raise ConfigurationError(f"Load {load_id} is {status}; only a blocked load can be accepted.")
    file = Path(str(work), JUDGED)
    if not file.exists():
        raise ConfigurationError(
            f"The files of load {load_id} are not on this machine ({file}). "
            f"Accept it where it ran, or judge again what it landed: assay replay PIPELINE --load {load_id}"
        )
    return msgspec.json.decode(file.read_bytes(), type=JudgedFiles)


def accept_load(target: Target, pipeline: Pipeline, load: Load, blocked: JudgedFiles, reason: str) -> None:
    """Publish a blocked load by a person's decision, recorded with name and reason.

    `load` is the new attempt at it. Rows that were diverted stay in quarantine.
    """
    person = f"{getpass.getuser()}@{socket.gethostname()}"
    judged = Judged(blocked.verdicts, blocked.extracted, accepted_by=person)
    with open_connection(target.dsn) as conn:
        for name, verdict in blocked.verdicts.items():
            table = pipeline.table(name)
            stage_rows(conn, load.load_id, table, verdict, statement_timeout_s=target.statement_timeout_s)
        conn.execute(
            "UPDATE assay.attempts SET accepted_by = %s, accept_reason = %s "
            "WHERE load_id = %s AND attempt_no = %s",
            (person, reason, load.load_id, load.attempt_no),
        )
    publish_load(target.dsn, pipeline, load, judged, statement_timeout_s=target.statement_timeout_s)


def _record_block(target: Target, load: Load, judged: Judged, outcomes: Sequence[ExpectationOutcome]) -> None:
    """In a transaction of its own: counts, validations, and why."""
    files = JudgedFiles(load, dict(judged.verdicts), dict(judged.extracted))
    Path(load.work, JUDGED).write_bytes(msgspec.json.encode(files))
    with open_connection(target.dsn) as conn, conn.transaction():
        history.record_counts(conn, load, _blocked_counts(judged, outcomes), {})
        history.record_validations(conn, load, outcomes)
        ledger.end_attempt(conn, load.load_id, load.attempt_no, "blocked", error=_why(outcomes))
        conn.execute(
            "UPDATE assay.loads SET status = 'blocked', work = %s WHERE load_id = %s",
            (load.work, load.load_id),
        )


def _blocked_counts(judged: Judged, outcomes: Sequence[ExpectationOutcome]) -> list[TableCounts]:
    return [
        history.count_table(verdict, judged.extracted[verdict.resource], outcomes)
        for verdict in judged.verdicts.values()
    ]


def _why(outcomes: Sequence[ExpectationOutcome]) -> str:
    blockers = [outcome for outcome in outcomes if outcome.blocks]
    named = "; ".join(_name_outcome(outcome) for outcome in blockers[:5])
    more = f"; and {len(blockers) - 5} more" if len(blockers) > 5 else ""
    return f"Blocked by {len(blockers)} of {len(outcomes)} expectations: {named}{more}"


def _name_outcome(outcome: ExpectationOutcome) -> str:
    column = f" of {outcome.column}" if outcome.column else ""
    detail = outcome.message or f"{outcome.unexpected_count} of {outcome.rows_seen} rows"
    return f"{outcome.table}: {outcome.expectation}{column} ({detail})"
