"""How long a reader waits while a load adds a column, or makes one wider, against an idle control.

    python -m tests.benchmarks.load.columns

A table of 336,776 rows on an embedded Postgres with its default settings; a reader asks for 100 rows again
and again, each time in a transaction of its own.
"""

import tempfile
import threading
import time
from pathlib import Path

import polars as pl
import psycopg

from tasks.load import ledger
from tasks.load.connection import open_connection
from tasks.load.embedded import start_postgres
from tasks.load.staging import prepare_staging
from tests.integration.tasks.load.builders import Shop

ROWS = 336_776
READ = "SELECT count(*), sum(value) FROM items WHERE id BETWEEN 1000 AND 1100"


class Reader(threading.Thread):
    """Reads until it is told to stop, and keeps how long the longest read took."""

    def __init__(self, dsn: str) -> None:
        super().__init__()
        self.dsn, self.stopped, self.longest_ms, self.reads = dsn, threading.Event(), 0.0, 0

    def run(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True, prepare_threshold=None) as conn:
            while not self.stopped.is_set():
                began = time.perf_counter()
                conn.execute(READ).fetchone()
                self.longest_ms = max(self.longest_ms, (time.perf_counter() - began) * 1000)
                self.reads += 1


def measure(shop: Shop, title: str, frame: pl.DataFrame | None) -> None:
    """One load beside a reader; None is the idle control, as long as a load takes."""
    reader = Reader(shop.dsn)
    reader.start()
    time.sleep(0.5)
    began = time.perf_counter()
    report = None if frame is None else shop.load(frame)
    if report is None:
        time.sleep(3)
    seconds = time.perf_counter() - began
    reader.stopped.set()
    reader.join()
    changes = [(c.kind, c.column) for c in report.schema_changes] if report else []
    print(f"{title}: {seconds:.2f} s, {reader.reads} reads, longest {reader.longest_ms:.1f} ms  {changes}")


def main() -> None:
    """Fill the table, then measure."""
    with tempfile.TemporaryDirectory(prefix="assay-columns-") as folder:
        shop = Shop(start_postgres(Path(folder)), Path(folder))
        with open_connection(shop.dsn) as conn:
            ledger.migrate(conn)
            prepare_staging(conn)
        rows = pl.select(id=pl.int_range(ROWS)).with_columns(value=(pl.col("id") % 1000).cast(pl.Int32))
        few = rows.head(1000)
        shop.load(rows)
        for _ in range(3):
            measure(shop, "idle control", None)
            measure(shop, "no change of columns", few.with_columns(value=pl.col("value") + 1))
        for number in range(3):
            new = few.with_columns(pl.lit(number, pl.Int64).alias(f"new_{number}"))
            measure(shop, "a column is added", new)
        measure(shop, "integer becomes bigint", few.with_columns(pl.col("value").cast(pl.Int64) + 2))


if __name__ == "__main__":
    main()
