"""A replaced table with a view, a grant, a foreign key, and readers old and new."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from tasks.load.batch import Changes
from tasks.load.connection import Connection, fetch_one, open_connection
from tests.benchmarks.load.measuring import describe, measure, reading
from tests.benchmarks.load.rows import REPLACED, apply, fill, make_rows, stage

DIFFERING = {"unchanged": 0, "3 % differing": 33, "100 % differing": 1}
AROUND = """
CREATE VIEW dear AS SELECT * FROM items WHERE price > 100;
GRANT SELECT ON items TO pg_monitor;
CREATE TABLE orders (item bigint REFERENCES items ON DELETE CASCADE);
INSERT INTO orders SELECT id FROM items LIMIT 1000;
VACUUM ANALYZE items
"""
KEPT = (
    "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM dear) > 0, "
    "has_table_privilege('pg_monitor', 'items', 'SELECT')"
)
OLD = "SELECT count(*), sum(price) FROM items"


def bench_replace(dsn: str, folder: Path, rows: int, rounds: int = 3) -> None:
    """Each share of differing rows so many times, and after each as long a look without a load."""
    with open_connection(dsn) as conn:
        fill(conn, stage(conn, REPLACED, make_rows(folder, rows)))
        for statement in AROUND.split(";"):
            conn.execute(statement.encode())
        for name, every in DIFFERING.items():
            file = make_rows(folder, rows, changed_every=every)
            costs = [_replace_once(dsn, conn, name, folder, file, rows) for _ in range(rounds)]
            seconds, wal, during, idle = zip(*costs, strict=True)
            print(
                f"median of {rounds}, {name}: {statistics.median(seconds):.2f} s, "
                f"WAL {statistics.median(wal):.3f} MB; the longest read of each round, ms, during the load "
                f"{_in_ms(during)}, idle {_in_ms(idle)}",
                flush=True,
            )


def _in_ms(seconds: Sequence[float]) -> str:
    ordered = " ".join(f"{each * 1e3:.1f}" for each in sorted(seconds))
    return f"{ordered} (median {statistics.median(seconds) * 1e3:.1f})"


def _replace_once(
    dsn: str, conn: Connection, name: str, folder: Path, file: Path, rows: int
) -> tuple[float, float, float, float]:
    """Seconds, megabytes of WAL, and the longest read in seconds, during the load and without."""
    batch = stage(conn, REPLACED, file)
    began: list[float] = []

    def act() -> Changes:
        began.append(time.time())
        return apply(conn, batch)

    with psycopg.connect(dsn) as old:
        old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        seen = old.execute(OLD).fetchone()
        with reading(dsn) as reads:
            cost = measure(conn, f"replace, {name}", act)
        again = old.execute(OLD).fetchone()
    # Not those beside the checkpoint that `measure` begins with.
    waits = [read for read in reads if read.at >= began[0]]
    with reading(dsn) as idle:
        time.sleep(cost.seconds)
    print(f"  during the load: {describe(waits)}\n  idle control:    {describe(idle)}")
    print(f"  the old snapshot saw the same: {seen == again}; rows that point at it, view, grant: ", end="")
    print(fetch_one(conn, KEPT), flush=True)
    apply(conn, stage(conn, REPLACED, make_rows(folder, rows)))
    # In the order of the key: rows that were changed and changed back would else lie together.
    conn.execute("CLUSTER items USING items_pkey")
    conn.execute("VACUUM ANALYZE items")
    longest = [max(read.seconds for read in each) for each in (waits, idle)]
    return cost.seconds, cost.wal_mb, longest[0], longest[1]
