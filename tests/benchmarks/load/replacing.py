"""A replaced table with a view, a grant, a foreign key, and readers old and new."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tasks.load.batch import Changes
from tasks.load.connection import Connection, fetch_one, open_connection
from tests.benchmarks.load.measuring import READ, Cost, Read, describe, measure, reading
from tests.benchmarks.load.rows import REPLACED, apply, fill, make_rows, stage

DIFFERING = {"unchanged": 0, "3 % differing": 33, "100 % differing": 1}
AROUND = """
CREATE VIEW dear AS SELECT * FROM items WHERE price > 100;
GRANT SELECT ON items TO pg_monitor;
CREATE TABLE orders (item bigint REFERENCES items ON DELETE CASCADE);
INSERT INTO orders SELECT id FROM items LIMIT 1000;
CREATE TABLE twin AS SELECT * FROM items;
ALTER TABLE twin ADD PRIMARY KEY (id);
VACUUM ANALYZE items;
VACUUM ANALYZE twin
"""
READ_TWIN = READ.replace("items", "twin")
"""Of a table that no load touches: what this waits for meanwhile is its turn on the machine, and no lock."""
KEPT = (
    "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM dear) > 0, "
    "has_table_privilege('pg_monitor', 'items', 'SELECT')"
)
OLD = "SELECT count(*), sum(price) FROM items"


@dataclass(frozen=True)
class Round:
    """What one load took, and the longest read in seconds: of its table, of another one, and without it."""

    seconds: float
    wal_mb: float
    during: float
    beside: float
    idle: float


def bench_replace(dsn: str, folder: Path, rows: int, rounds: int = 3) -> None:
    """Each share of differing rows so many times."""
    with open_connection(dsn) as conn:
        fill(conn, stage(conn, REPLACED, make_rows(folder, rows)))
        for statement in AROUND.split(";"):
            conn.execute(statement.encode())
        for name, every in DIFFERING.items():
            files = make_rows(folder, rows, changed_every=every), make_rows(folder, rows)
            found = [_replace_twice(dsn, conn, name, *files) for _ in range(rounds)]
            seconds = statistics.median(each.seconds for each in found)
            wal = statistics.median(each.wal_mb for each in found)
            print(
                f"median of {rounds}, {name}: {seconds:.2f} s, WAL {wal:.3f} MB; longest read of each round:"
            )
            for reader in ("during", "beside", "idle"):
                longest = sorted(getattr(each, reader) * 1e3 for each in found)
                listed = " ".join(f"{each:.1f}" for each in longest)
                print(f"  {reader}: median {statistics.median(longest):.1f} ms of {listed}", flush=True)


def _replace_twice(dsn: str, conn: Connection, name: str, changed: Path, before: Path) -> Round:
    """Under the eyes of a reader of the table, then of a reader of its twin; last, as long without a load."""
    with psycopg.connect(dsn) as old:
        old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        seen = old.execute(OLD).fetchone()
        cost, during = _replace_once(dsn, conn, name, changed, READ)
        again = old.execute(OLD).fetchone()
    with reading(dsn) as idle:
        time.sleep(cost.seconds)
    print(f"  idle:   {describe(idle)}")
    print(f"  the old snapshot saw the same: {seen == again}; rows that point at it, view, grant: ", end="")
    print(fetch_one(conn, KEPT), flush=True)
    _restore(conn, before)
    _, beside = _replace_once(dsn, conn, name, changed, READ_TWIN)
    _restore(conn, before)
    longest = [max(read.seconds for read in reads) for reads in (during, beside, idle)]
    return Round(cost.seconds, cost.wal_mb, *longest)


def _replace_once(
    dsn: str, conn: Connection, name: str, changed: Path, query: str
) -> tuple[Cost, list[Read]]:
    """What it took, and the reads since it began: not those beside the checkpoint before it."""
    batch, began = stage(conn, REPLACED, changed), 0.0

    def act() -> Changes:
        nonlocal began
        began = time.time()
        return apply(conn, batch)

    with reading(dsn, query) as reads:
        cost = measure(conn, f"replace, {name}", act)
    reads = [read for read in reads if read.at >= began]
    print(f"  {'during' if query == READ else 'beside'}: {describe(reads)}")
    return cost, reads


def _restore(conn: Connection, before: Path) -> None:
    apply(conn, stage(conn, REPLACED, before))
    # In the order of the key: rows that were changed and changed back would else lie together.
    conn.execute("CLUSTER items USING items_pkey")
    conn.execute("VACUUM ANALYZE items")
