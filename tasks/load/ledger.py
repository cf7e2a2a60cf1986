"""The ledger: loads, attempts and what became of them, in the schema `assay`."""

import datetime as dt
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tasks.errors import ConfigurationError, FatalError
from tasks.handover import Status
from tasks.load.connection import (
    Connection,
    fetch_int,
    fetch_one,
    first_line,
    limit_transaction,
    lock_key,
    named_query,
)
from tasks.load.ddl import ensure_schema, read_columns
from tasks.load.jsonb import storable_text

log = logging.getLogger(__name__)

Cursors = dict[str, str | None]


@dataclass(frozen=True)
class OpenLoad:
    """A load that an attempt is about to be made at, with the number of its extraction and its attempt.

    The extraction of a replay is that of the load it repeats.
    """

    load_id: str
    extraction: int
    attempt_no: int
    cursors: Cursors
    started_at: dt.datetime
    is_resumed: bool
    replay_of: str | None = None


def migrate(conn: Connection) -> None:
    """Bring the ledger's schema up to date; safe with two workers starting at once.

    Raises:
        ConfigurationError: The schema is newer than this version of assay, or this role may not change it.
    """
    try:
        _migrate(conn)
    except psycopg.errors.InsufficientPrivilege as exc:
        raise ConfigurationError(
            f"The ledger must be created or brought up to date, and the role {conn.info.user!r} may not: "
            f"{first_line(exc)}. Run `assay migrate` as the ledger's owner; `assay roles` prints the grants."
        ) from exc


def _migrate(conn: Connection) -> None:
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key("migrate"),))
        ensure_schema(conn, "assay")
        if not read_columns(conn, "assay", "migrations"):
            conn.execute(
                "CREATE TABLE assay.migrations "
                "(version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
            )
        done = {version for (version,) in conn.execute("SELECT version FROM assay.migrations")}
        scripts = {int(f.name[:3]): f for f in resources.files("tasks.load").joinpath("migrations").iterdir()}
        if unknown := done - set(scripts):
            raise ConfigurationError(
                f"The ledger is at version {max(map(str, unknown))}, this assay knows {max(scripts)}. "
                "Update assay."
            )
        for version in sorted(set(scripts) - done):
            conn.execute(sql.SQL(scripts[version].read_text(encoding="utf-8")))
            conn.execute("INSERT INTO assay.migrations (version) VALUES (%s)", (version,))


def read_cursors(conn: Connection, pipeline: str) -> dict[str, str]:
    """How far each incremental resource is published; a resource that never was is absent."""
    rows = conn.execute("SELECT resource, value FROM assay.cursors WHERE pipeline = %s", (pipeline,))
    return {str(resource): str(value) for resource, value in rows}


def open_load(
    conn: Connection,
    pipeline: str,
    fingerprint: str,
    *,
    resume_within_s: float,
    full_refresh: bool = False,
    run_url: str | None = None,
) -> OpenLoad:
    """Take up the pipeline's unfinished load, or open a new one, and record the attempt.

    Call it while holding the pipeline. An interrupted load of the same declaration and cursors is resumed
    when it is young enough; one that was blocked keeps its identity, by which a person may accept it, and
    is extracted afresh, since its data may have been put right; any other is abandoned.
    """
    with conn.transaction():
        # The backend of a killed run may still hold its attempt.
        limit_transaction(conn, statement_timeout_s=120)
        close_crashed(conn, pipeline)
        cursors = read_cursors(conn, pipeline)
        found = _adopt(conn, pipeline, fingerprint, cursors, resume_within_s, full_refresh=full_refresh)
        load_id, is_resumed = found or (
            _insert_load(conn, pipeline, fingerprint, cursors, full_refresh=full_refresh),
            False,
        )
        conn.execute(
            "UPDATE assay.loads SET status = 'abandoned' "
            "WHERE pipeline = %s AND status IN ('open', 'blocked') AND load_id <> %s",
            (pipeline, load_id),
        )
        attempt_no, started_at = insert_attempt(conn, load_id, run_url)
        extraction = fetch_int(conn, "SELECT extraction FROM assay.loads WHERE load_id = %s", load_id)
    start: Cursors = {} if full_refresh else dict(cursors)
    return OpenLoad(load_id, extraction, attempt_no, start, started_at, is_resumed)


def reopen_blocked(conn: Connection, load_id: str, *, run_url: str | None) -> tuple[int, dt.datetime]:
    """Record a new attempt at a blocked load, that of accepting it; returns its number and start.

    Call it while holding the pipeline.

    Raises:
        ConfigurationError: The load was published or given up meanwhile.
    """
    with conn.transaction():
        limit_transaction(conn, statement_timeout_s=120)
        status = fetch_one(conn, "SELECT status FROM assay.loads WHERE load_id = %s", load_id)[0]
        if status not in {"blocked", "open"}:
            raise ConfigurationError(f"Load {load_id} is {status}; only a blocked load can be accepted.")
        return insert_attempt(conn, load_id, run_url)


def insert_attempt(conn: Connection, load_id: str, run_url: str | None) -> tuple[int, dt.datetime]:
    """Record that an attempt begins; returns its number and start."""
    attempt_no, started_at = fetch_one(
        conn,
        "INSERT INTO assay.attempts (load_id, attempt_no, pipeline, status, run_url) SELECT load_id, "
        "(SELECT coalesce(max(attempt_no), 0) + 1 FROM assay.attempts WHERE load_id = l.load_id), "
        "pipeline, 'running', %s FROM assay.loads l WHERE load_id = %s RETURNING attempt_no, started_at",
        run_url,
        load_id,
    )
    assert isinstance(attempt_no, int)
    assert isinstance(started_at, dt.datetime)
    return attempt_no, started_at


def load_ids(conn: Connection, pipeline: str) -> list[str]:
    """Every load of the pipeline; while nobody is loading, their staging tables are leftovers."""
    rows = conn.execute("SELECT load_id FROM assay.loads WHERE pipeline = %s", (pipeline,))
    return [str(load_id) for (load_id,) in rows]


def end_attempt(
    conn: Connection, load_id: str, attempt_no: int, status: Status, *, error: str | None = None
) -> None:
    """Record how an attempt ended, in the caller's transaction or one of its own.

    One that has ended keeps its end: a failure after the publication does not undo it.
    """
    conn.execute(
        "UPDATE assay.attempts SET status = %s, error = %s, ended_at = clock_timestamp() "
        "WHERE load_id = %s AND attempt_no = %s AND status = 'running'",
        (status, error and storable_text(error), load_id, attempt_no),
    )


def claim_attempt(conn: Connection, load_id: str, attempt_no: int) -> None:
    """Hold a running attempt until the end of the transaction: no other run can declare it crashed.

    Raises:
        FatalError: One has, because this run had lost its hold on the pipeline.
    """
    status = fetch_one(
        conn,
        "SELECT status FROM assay.attempts WHERE load_id = %s AND attempt_no = %s FOR UPDATE",
        load_id,
        attempt_no,
    )[0]
    if status != "running":
        raise FatalError(
            f"{load_id}: attempt {attempt_no} is {status} in the ledger, another run has taken over. "
            "Nothing of this attempt is published."
        )


def mark_told(conn: Connection, load_id: str, attempt_no: int) -> None:
    """Record that pages, artifact and events of an attempt are out."""
    conn.execute(
        "UPDATE assay.attempts SET told_at = clock_timestamp() WHERE load_id = %s AND attempt_no = %s",
        (load_id, attempt_no),
    )


def untold_attempts(conn: Connection, pipeline: str) -> list[tuple[str, int]]:
    """Finished attempts that nobody was told of, because their process died first; oldest first."""
    rows = conn.execute(
        "SELECT load_id, attempt_no FROM assay.attempts WHERE pipeline = %s AND told_at IS NULL "
        "AND status IN ('published', 'no new rows', 'blocked', 'failed') ORDER BY started_at",
        (pipeline,),
    )
    return [(str(load_id), int(str(attempt_no))) for load_id, attempt_no in rows]


def close_crashed(conn: Connection, pipeline: str) -> None:
    """End the attempts of processes that are gone; call it while holding the pipeline."""
    conn.execute(
        "UPDATE assay.attempts SET status = 'crashed', ended_at = clock_timestamp(), "
        "error = 'The process ended before the attempt did.' WHERE pipeline = %s AND status = 'running'",
        (pipeline,),
    )


def _adopt(
    conn: Connection,
    pipeline: str,
    fingerprint: str,
    cursors: Mapping[str, str],
    resume_within_s: float,
    *,
    full_refresh: bool,
) -> tuple[str, bool] | None:
    row = conn.execute(
        named_query("find_unfinished"),
        (resume_within_s, pipeline, fingerprint, Jsonb(dict(cursors)), full_refresh),
    ).fetchone()
    if row is None:
        return None
    load_id, is_resumable, was_blocked = str(row[0]), bool(row[1]), bool(row[2])
    if is_resumable:
        return load_id, True
    if was_blocked:
        conn.execute(
            "UPDATE assay.loads SET extraction = extraction + 1, status = 'open' WHERE load_id = %s",
            (load_id,),
        )
        return load_id, False
    return None


def _insert_load(
    conn: Connection,
    pipeline: str,
    fingerprint: str,
    cursors: Mapping[str, str],
    *,
    full_refresh: bool,
) -> str:
    now = dt.datetime.now(dt.UTC)
    load_id = f"{pipeline}-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    conn.execute(
        "INSERT INTO assay.loads (load_id, pipeline, fingerprint, cursors_before, full_refresh, status) "
        "VALUES (%s, %s, %s, %s, %s, 'open')",
        (load_id, pipeline, fingerprint, Jsonb(dict(cursors)), full_refresh),
    )
    return load_id
