"""Replays: loads that apply once more what an earlier one landed, without the API.

A replay is a load of its own in the ledger, named after the one it repeats. It ends like any other:
published, blocked (then a person may accept it) or failed. The next run gives up one that is not published.
"""

import secrets
from typing import cast

from psycopg.types.json import Jsonb

from tasks.errors import ConfigurationError
from tasks.load.connection import Connection, fetch_int, limit_transaction
from tasks.load.ledger import OpenLoad, close_crashed, insert_attempt, read_cursors
from tasks.pipeline import Pipeline, Table


def open_replay(
    conn: Connection, pipeline: Pipeline, load_id: str, *, is_forced: bool, run_url: str | None = None
) -> OpenLoad:
    """Open a load that repeats this one with today's declaration; call it while holding the pipeline.

    A replay of a replay repeats the first load. Unless it is forced, it must not be able to put older rows
    over newer ones, or rows of a table without a key in twice.

    Raises:
        ConfigurationError: There is no such load of this pipeline; or the replay could do harm.
    """
    with conn.transaction():
        limit_transaction(conn, statement_timeout_s=120)
        close_crashed(conn, pipeline.name)
        origin, extraction, cursors = _find_origin(conn, pipeline.name, load_id)
        if not is_forced:
            _refuse_harm(conn, pipeline, origin)
        replay = f"{origin}-replay-{secrets.token_hex(4)}"
        conn.execute(
            "UPDATE assay.loads SET status = 'abandoned' "
            "WHERE pipeline = %s AND status IN ('open', 'blocked') AND replay_of IS NOT NULL",
            (pipeline.name,),
        )
        conn.execute(
            "INSERT INTO assay.loads "
            "(load_id, pipeline, fingerprint, cursors_before, full_refresh, status, replay_of) "
            "VALUES (%s, %s, %s, %s, false, 'open', %s)",
            (
                replay,
                pipeline.name,
                pipeline.fingerprint(),
                Jsonb(read_cursors(conn, pipeline.name)),
                origin,
            ),
        )
        attempt_no, started_at = insert_attempt(conn, replay, run_url)
    return OpenLoad(replay, extraction, attempt_no, cursors, started_at, is_resumed=False, replay_of=origin)


def _find_origin(conn: Connection, pipeline: str, load_id: str) -> tuple[str, int, dict[str, str | None]]:
    """The load to repeat, the number of its last extraction, and the cursors from which that began."""
    row = conn.execute(
        "SELECT o.load_id, o.pipeline, o.extraction, CASE WHEN o.full_refresh THEN '{}' "
        "ELSE o.cursors_before END FROM assay.loads l "
        "JOIN assay.loads o ON o.load_id = coalesce(l.replay_of, l.load_id) WHERE l.load_id = %s",
        (load_id,),
    ).fetchone()
    if row is None or row[1] != pipeline:
        whose = f"{row[1]!r}" if row else "no pipeline"
        raise ConfigurationError(
            f"{load_id!r} is a load of {whose}, not of {pipeline!r}. `assay status {pipeline}` lists those."
        )
    origin, _, extraction, cursors = row
    assert isinstance(extraction, int)
    return str(origin), extraction, cast("dict[str, str | None]", cursors)


def _refuse_harm(conn: Connection, pipeline: Pipeline, origin: str) -> None:
    doubled = [t.name for t in pipeline.tables if t.disposition == "append" and not t.primary_key]
    if doubled and _was_published(conn, origin):
        raise ConfigurationError(
            f"{origin} is published, and {', '.join(doubled)} has no primary_key: a replay would put its "
            "rows in twice. Declare a key; or delete the rows first and replay with --force."
        )
    later = _count_later(conn, pipeline.name, origin)
    exposed = [table.name for table in pipeline.tables if not _keeps_newer_rows(table)]
    if later and exposed:
        raise ConfigurationError(
            f"{later} later {'load was' if later == 1 else 'loads were'} published since {origin}, and "
            f"{', '.join(exposed)} cannot tell older rows from newer ones: a replay could put back what has "
            "changed since. Declare version_by; replay the latest load instead; or replay with --force, and "
            "after it the later loads in their order, or run with --full-refresh."
        )


def _keeps_newer_rows(table: Table) -> bool:
    """Whether a row that is there stays when an older version of it comes, deleted rows included."""
    match table.disposition:
        case "append":
            return True  # rows that are there are never touched
        case "replace":
            return False
        case _:
            return table.version_by is not None and table.tombstone is None


def _was_published(conn: Connection, origin: str) -> bool:
    """Whether the load's rows were ever put in, by itself or by a replay."""
    count = (
        "SELECT count(*) FROM assay.publications JOIN assay.loads USING (load_id) "
        "WHERE coalesce(replay_of, load_id) = %s"
    )
    return fetch_int(conn, count, origin) > 0


def _count_later(conn: Connection, pipeline: str, origin: str) -> int:
    """How many loads that asked the API after this one did have brought rows."""
    return fetch_int(
        conn,
        "SELECT count(*) FROM assay.publications p JOIN assay.attempts a USING (load_id, attempt_no) "
        "JOIN assay.loads l USING (load_id) "
        "JOIN assay.loads o ON o.load_id = coalesce(l.replay_of, l.load_id) "
        "WHERE p.pipeline = %s AND a.status = 'published' "
        "AND o.started_at > (SELECT started_at FROM assay.loads WHERE load_id = %s)",
        pipeline,
        origin,
    )
