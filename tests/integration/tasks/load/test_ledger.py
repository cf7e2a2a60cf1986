"""The ledger's rules: which load an attempt is made at, and what becomes of the others."""

import subprocess
import sys
from collections.abc import Iterator

import polars as pl
import psycopg
import pytest
from psycopg import sql

from tasks.errors import ConfigurationError
from tasks.load import ledger
from tasks.load.connection import Connection, open_connection
from tasks.load.ledger import OpenLoad
from tasks.load.load import record_failure
from tests.integration.tasks.load.builders import NOON, Shop, make_outcome

ROWS = pl.DataFrame({"id": [1]})
BLOCKER = make_outcome(severity="critical")


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    with open_connection(dsn) as conn:
        yield conn


def open_load(
    conn: Connection, fingerprint: str = "f", *, resume_within_s: float = 3600, full_refresh: bool = False
) -> OpenLoad:
    return ledger.open_load(
        conn, "shop", fingerprint, resume_within_s=resume_within_s, full_refresh=full_refresh
    )


def statuses(conn: Connection, table: str) -> list[str]:
    query = sql.SQL("SELECT status FROM {} ORDER BY started_at").format(sql.Identifier("assay", table))
    return [str(status) for (status,) in conn.execute(query)]


def block(shop: Shop) -> str:
    staged = shop.stage(ROWS, verdict="blocked", outcomes=(BLOCKER,))
    assert shop.publish(staged) == "blocked"
    return staged.load.load_id


def test_the_first_load_starts_from_the_beginning(conn: Connection) -> None:
    opened = open_load(conn)
    assert (opened.cursors, opened.extraction, opened.attempt_no, opened.is_resumed) == ({}, 1, 1, False)


def test_a_young_interrupted_load_is_resumed(conn: Connection) -> None:
    first, second = open_load(conn), open_load(conn)
    assert (second.load_id, second.extraction, second.attempt_no) == (first.load_id, 1, 2)
    assert second.is_resumed
    assert statuses(conn, "attempts") == ["crashed", "running"]


@pytest.mark.parametrize("how", [{"resume_within_s": 0}, {"fingerprint": "other"}, {"full_refresh": True}])
def test_an_old_or_other_load_is_abandoned(conn: Connection, how: dict[str, object]) -> None:
    first = open_load(conn)
    second = open_load(conn, **how)  # type: ignore[arg-type]
    assert second.load_id != first.load_id
    assert (second.extraction, second.attempt_no, second.is_resumed) == (1, 1, False)
    assert statuses(conn, "loads") == ["abandoned", "open"]


def test_a_load_from_another_cursor_is_abandoned(shop: Shop, conn: Connection) -> None:
    shop.load(ROWS, cursor=NOON.isoformat())
    first = open_load(conn)
    assert first.cursors == {"items": NOON.isoformat()}
    conn.execute("UPDATE assay.cursors SET value = '2025-01-01T00:00:00+00:00'")
    assert open_load(conn).load_id != first.load_id


def test_a_full_refresh_starts_from_the_beginning(shop: Shop, conn: Connection) -> None:
    shop.load(ROWS, cursor=NOON.isoformat())
    assert open_load(conn, full_refresh=True).cursors == {}


def test_a_published_load_is_not_taken_up(shop: Shop, conn: Connection) -> None:
    published = shop.load(ROWS)
    assert open_load(conn).load_id != published.load_id


def test_a_blocked_load_keeps_its_identity_and_is_extracted_afresh(shop: Shop, conn: Connection) -> None:
    load_id = block(shop)
    opened = open_load(conn, resume_within_s=0)
    assert (opened.load_id, opened.extraction, opened.attempt_no) == (load_id, 2, 2)
    assert not opened.is_resumed


def test_an_interrupted_attempt_at_a_blocked_load_is_resumed(shop: Shop, conn: Connection) -> None:
    load_id = block(shop)
    open_load(conn)
    again = open_load(conn)
    assert (again.load_id, again.extraction, again.is_resumed) == (load_id, 2, True)


def test_a_once_blocked_load_keeps_its_identity_when_attempts_fail(shop: Shop, conn: Connection) -> None:
    """A person was told its name, and may still accept it by that."""
    load_id = block(shop)
    for extraction in (2, 3):
        opened = open_load(conn, resume_within_s=0)
        assert (opened.load_id, opened.extraction, opened.is_resumed) == (load_id, extraction, False)
        ledger.end_attempt(conn, load_id, opened.attempt_no, "failed", error="no network")


def test_loads_of_other_pipelines_are_left_alone(conn: Connection) -> None:
    ledger.open_load(conn, "other", "f", resume_within_s=3600)
    open_load(conn)
    assert statuses(conn, "loads") == ["open", "open"]
    assert statuses(conn, "attempts") == ["running", "running"]


def test_a_blocked_load_can_be_reopened_to_accept_it(shop: Shop, conn: Connection) -> None:
    load_id = block(shop)
    attempt_no, _ = ledger.reopen_blocked(conn, load_id, run_url=None)
    assert attempt_no == 2


def test_a_load_given_up_meanwhile_cannot_be_accepted(shop: Shop, conn: Connection) -> None:
    load_id = block(shop)
    open_load(conn, "other")
    with pytest.raises(ConfigurationError, match="abandoned; only a blocked load can be accepted"):
        ledger.reopen_blocked(conn, load_id, run_url=None)


def test_attempts_nobody_was_told_of_are_listed_until_they_are(shop: Shop, conn: Connection) -> None:
    published = shop.load(ROWS)
    failed = shop.begin()
    record_failure(shop.target, failed, "failed")
    crashed = shop.begin()
    shop.begin()

    untold = [(published.load_id, 1), (failed.load_id, 1)]
    assert ledger.untold_attempts(conn, "shop") == untold
    assert crashed.load_id == failed.load_id
    ledger.mark_told(conn, *untold[0])
    assert ledger.untold_attempts(conn, "shop") == untold[1:]


@pytest.mark.parametrize(
    "error", ["a\x00b", "a lone \ud800", "x" * 100_000], ids=["NUL", "surrogate", "long"]
)
def test_a_failure_of_any_text_is_recorded(shop: Shop, error: str) -> None:
    load = shop.begin()
    record_failure(shop.target, load, error)
    report = shop.report(load)
    assert report.status == "failed"
    assert report.error == error.replace("\x00", "\\u0000").replace("\ud800", "\\ud800")


def test_two_processes_may_migrate_at_once(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("DROP SCHEMA assay CASCADE")
        conn.execute("DROP SCHEMA assay_staging CASCADE")
    program = (
        "import sys\nfrom tasks.load import ledger\nfrom tasks.load.connection import open_connection\n"
        "from tasks.load.staging import prepare_staging\n"
        "with open_connection(sys.argv[1]) as conn:\n"
        "    print('ready', flush=True)\n    input()\n    ledger.migrate(conn)\n    prepare_staging(conn)"
    )
    command = [sys.executable, "-c", program, dsn]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [process.stdout and process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=30)
    assert [process.returncode for process in processes] == [0, 0]


def test_a_newer_ledger_is_refused(conn: Connection) -> None:
    conn.execute("INSERT INTO assay.migrations (version) VALUES (99)")
    with pytest.raises(ConfigurationError, match="at version 99, this assay knows"):
        ledger.migrate(conn)
