"""A server that fails under a load: a backend ended in the middle of COPY, a crash before the publication."""

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
def mortal() -> str:
    """DSN of a server of the test's own, which it may crash; it stops at this process's end."""
    folder = Path(tempfile.mkdtemp(prefix="assay-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    dsn = start_postgres(folder)
    with open_connection(dsn) as conn:
        ledger.migrate(conn)
        prepare_staging(conn)
    return dsn


def crash_and_recover(dsn: str) -> None:
    """Kill a backend; the server then ends all others and starts anew, as after a crash of its own."""
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


def test_a_crash_between_staging_and_publication_deletes_nothing(mortal: str, tmp_path: Path) -> None:
    """Staging comes back empty: for a table that is replaced, that would be a load without rows."""
    waiting = []
    for disposition in ("replace", "scd2", "merge", "append"):
        table = make_table(disposition, disposition=disposition)
        shop = Shop(mortal, tmp_path, make_pipeline(table, name=f"shop_{disposition}", incremental=False))
        shop.load(KEPT)
        waiting.append((shop, shop.stage(KEPT.head(2))))
    crash_and_recover(mortal)
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
