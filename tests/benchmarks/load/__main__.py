"""What dispositions cost: rows, WAL, seconds, and how long readers wait.

    python -m tests.benchmarks.load replace [ROUNDS]    336,776 rows: unchanged, 3 % and 100 % differing
    python -m tests.benchmarks.load merge CONTESTANT [whole|increment] [ROWS]       1 % of 10 million changed
    python -m tests.benchmarks.load first [ROWS]        COPY, first load, and the client's memory
    python -m tests.benchmarks.load flights             the demo's year: hashes, and what its readers wait

CONTESTANT is `ours` or what people write by hand: `upsert`, `upsert_where`, `delete_insert`; all rows are
staged, or only those that changed. On an embedded Postgres with its default settings in ASSAY_BENCH_HOME,
where the table of 10 million is kept for the next trial, or on the server of ASSAY_TEST_DSN.
"""

import os
import sys
import tempfile
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from tasks.load.connection import open_connection
from tasks.load.embedded import start_postgres
from tasks.load.staging import prepare_staging
from tests.benchmarks.load.first import bench_first
from tests.benchmarks.load.flights import bench_flights
from tests.benchmarks.load.merging import WHOLE, bench_merge
from tests.benchmarks.load.replacing import bench_replace
from tests.benchmarks.load.rows import FLIGHTS, MILLIONS


def main() -> None:
    """Run one benchmark."""
    what, *more = sys.argv[1:]
    folder = Path(os.environ.get("ASSAY_BENCH_HOME") or tempfile.mkdtemp(prefix="assay-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    server = os.environ.get("ASSAY_TEST_DSN") or start_postgres(folder)
    match what:
        case "replace":
            bench_replace(new_database(server), folder, FLIGHTS, int(more[0]) if more else 3)
        case "merge":
            contestant, staged, rows = [*more, *[WHOLE, str(MILLIONS)][len(more) - 1 :]]
            bench_merge(server, folder, int(rows), contestant, staged)
        case "first":
            bench_first(new_database(server), folder, int(more[0]) if more else MILLIONS)
        case "flights":
            bench_flights(new_database(server), folder)
        case _:
            sys.exit(__doc__)


def new_database(server: str) -> str:
    """The DSN of a new database, `bench`, with the schema that staging needs."""
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
        conn.execute("CREATE DATABASE bench")
        print(conn.execute("SELECT version()").fetchone()[0])  # type: ignore[index]
    dsn = make_conninfo(server, dbname="bench")
    with open_connection(dsn) as conn:
        prepare_staging(conn)
    return dsn


if __name__ == "__main__":
    main()
