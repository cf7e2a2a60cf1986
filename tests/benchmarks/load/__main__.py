"""What dispositions cost: rows, WAL, seconds, and how long readers wait.

    python -m tests.benchmarks.load replace            336,776 rows: unchanged, 3 % and 100 % differing
    python -m tests.benchmarks.load merge ours|upsert|delete [ROWS]     1 % changed; two plain statements
    python -m tests.benchmarks.load first [ROWS]       COPY, first load, and the client's memory

On an embedded Postgres with its default settings, or the server of ASSAY_TEST_DSN, in the database `bench`.
"""

import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import polars as pl
import psycopg
from psycopg.conninfo import make_conninfo

from tasks.handover import TableVerdict
from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection, fetch_int, open_connection
from tasks.load.ddl import column_types, create_table
from tasks.load.dispositions.disposition import disposition_of
from tasks.load.embedded import start_postgres
from tasks.load.staging import prepare_staging, stage_rows
from tasks.pipeline import Table
from tests.integration.tasks.load.builders import NOON

LOAD_ID = "bench-1"
FLIGHTS = 336_776
MILLIONS = 10_000_000
MERGED = Table(name="items", primary_key=("id",))
REPLACED = Table(name="items", primary_key=("id",), disposition="replace")
READ = "SELECT count(*), sum(price) FROM items WHERE id BETWEEN 1000 AND 1100"


def make_rows(folder: Path, rows: int, *, changed_every: int = 0) -> Path:
    """A Parquet file of rows of ten columns, one in `changed_every` with another price."""
    file = folder / f"rows-{rows}-{changed_every}.parquet"
    key = pl.int_range(rows, eager=False).alias("id")
    changed = (pl.col("id") % changed_every == 0).cast(pl.Int64) if changed_every else pl.lit(0)
    at = pl.lit(NOON) + pl.duration(seconds=pl.col("id"))
    pl.LazyFrame({"one": [0]}).select(key).select(
        "id",
        carrier=pl.lit("UA"),
        tailnum=pl.format("N{}", pl.col("id") % 4000),
        origin=pl.lit("EWR"),
        day=(pl.col("id") % 365).cast(pl.Int32),
        minutes=(pl.col("id") * 7 % 300).cast(pl.Int32),
        price=pl.col("id") * 0.25 + changed,
        is_late=pl.col("id") % 3 == 0,
        sched_at=at,
        updated_at=at,
    ).sink_parquet(file)
    return file


def stage(conn: Connection, table: Table, file: Path) -> Batch:
    """Copy a file into staging."""
    frame = pl.scan_parquet(file)
    rows = int(frame.select(pl.len()).collect().item())
    verdict = TableVerdict(
        table=table.name, resource=table.name, verdict="passed", transformed=rows, superseded=0,
        quarantined=0, clean_count=rows, clean=str(file),
    )  # fmt: skip
    stage_rows(conn, LOAD_ID, verdict)
    types = column_types(frame.collect_schema())
    return Batch("public", table, LOAD_ID, types, rows, NOON, is_whole=True)


def fill(conn: Connection, batch: Batch) -> Changes:
    """The first load into a new table."""
    with conn.transaction():
        create_table(conn, "public", batch.table.name, batch.types)
        return disposition_of(batch.table).fill_new(conn, batch)


def apply(conn: Connection, batch: Batch) -> Changes:
    """Change the table by what is staged."""
    disposition = disposition_of(batch.table)
    with conn.transaction():
        conn.execute(
            batch.fill("CREATE TEMP TABLE {kept} ON COMMIT DROP AS SELECT {key} FROM {target} WHERE false")
        )
        changes = disposition.find_changes(conn, batch)
        disposition.write_rows(conn, batch, changes)
        disposition.delete_rows(conn, batch, changes)
    return changes


def measure(conn: Connection, what: str, act: Callable[[], object]) -> None:
    """Print seconds, WAL and what `act` returns."""
    conn.execute("CHECKPOINT")
    before, started = _wal(conn), time.perf_counter()
    result = act()
    seconds = time.perf_counter() - started
    query = "SELECT (pg_current_wal_insert_lsn() - %s::pg_lsn)::bigint"
    written = fetch_int(conn, query, before)
    size = fetch_int(conn, "SELECT coalesce(pg_total_relation_size(to_regclass('items')), 0)")
    print(
        f"{what:<44} {seconds:7.2f} s  WAL {written / 1e6:10.3f} MB  table {size / 1e6:7.0f} MB  {result}",
        flush=True,
    )


def _wal(conn: Connection) -> str:
    return str(conn.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()[0])  # type: ignore[index]


@contextmanager
def reading(dsn: str) -> Iterator[list[float]]:
    """Read the table over and over from another connection; the seconds that each took."""
    waits: list[float] = []
    done = threading.Event()

    def read() -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            while not done.is_set():
                started = time.perf_counter()
                conn.execute(READ)
                waits.append(time.perf_counter() - started)
                time.sleep(0.002)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield waits
    finally:
        done.set()
        reader.join()


def describe(waits: list[float]) -> str:
    """The longest and the median read, in milliseconds."""
    ordered = sorted(waits)
    median, longest = ordered[len(ordered) // 2] * 1e3, ordered[-1] * 1e3
    return f"{len(waits)} reads, median {median:.1f} ms, longest {longest:.1f} ms"


def bench_replace(dsn: str, folder: Path, rows: int) -> None:
    """A replaced table with a view, a grant, a foreign key, and readers old and new."""
    with open_connection(dsn) as conn:
        fill(conn, stage(conn, REPLACED, make_rows(folder, rows)))
        conn.execute("CREATE VIEW dear AS SELECT * FROM items WHERE price > 100")
        conn.execute("GRANT SELECT ON items TO pg_monitor")
        conn.execute("CREATE TABLE orders (item bigint REFERENCES items ON DELETE CASCADE)")
        conn.execute("INSERT INTO orders SELECT id FROM items LIMIT 1000")
        conn.execute("VACUUM ANALYZE items")
        with reading(dsn) as waits:
            time.sleep(5)
        print(f"idle control: {describe(waits)}", flush=True)
        for name, every in (("unchanged", 0), ("3 % differing", 33), ("100 % differing", 1)):
            file = make_rows(folder, rows, changed_every=every)
            batch = stage(conn, REPLACED, file)
            with psycopg.connect(dsn) as old:
                old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                seen = old.execute("SELECT count(*), sum(price) FROM items").fetchone()
                with reading(dsn) as waits:
                    measure(conn, f"replace, {name}", partial(apply, conn, batch))
                again = old.execute("SELECT count(*), sum(price) FROM items").fetchone()
            print(f"  readers: {describe(waits)}; the old snapshot saw the same: {seen == again}")
            kept = conn.execute(
                "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM dear) > 0, "
                "has_table_privilege('pg_monitor', 'items', 'SELECT')"
            ).fetchone()
            print(f"  rows that point at it, view, grant: {kept}", flush=True)
            apply(conn, stage(conn, REPLACED, make_rows(folder, rows)))
            conn.execute("VACUUM FULL items")
            conn.execute("VACUUM ANALYZE items")


PLAIN_UPSERT = (
    "INSERT INTO {target} ({columns}) SELECT {columns} FROM {staging} "
    "ON CONFLICT (id) DO UPDATE SET price = EXCLUDED.price, updated_at = EXCLUDED.updated_at "
    "WHERE {target}.price IS DISTINCT FROM EXCLUDED.price"
)


def bench_merge(dsn: str, folder: Path, rows: int, only: str) -> None:
    """One in a hundred rows changed, then none; beside them what people write by hand."""
    with open_connection(dsn) as conn:
        if not conn.execute("SELECT to_regclass('items')").fetchone()[0]:  # type: ignore[index]
            measure(conn, "COPY into staging", lambda: stage(conn, MERGED, make_rows(folder, rows)).staged)
            batch = Batch("public", MERGED, LOAD_ID, types_of(folder, rows), rows, NOON, is_whole=False)
            measure(conn, "first load: fill, then key", lambda: fill(conn, batch))
            conn.execute("VACUUM ANALYZE items")
        if only == "fill":
            return
        if only == "ours":
            batch = stage(conn, MERGED, make_rows(folder, rows, changed_every=100))
            for name in ("1 % changed", "unchanged"):
                measure(conn, f"merge, {name}", lambda: apply(conn, batch))
                # The first to read a changed page notes there whose changes are committed, and with checksums
                # on that is logged: not a cost of the merge that follows, whoever reads first pays it.
                conn.execute("VACUUM items")
            return
        batch = stage(conn, MERGED, make_rows(folder, rows, changed_every=50))
        if only == "upsert":
            for name in ("1 % changed", "unchanged"):
                measure(conn, f"plain ON CONFLICT WHERE, {name}", lambda: upsert(conn, batch))
        else:
            measure(conn, "DELETE + INSERT, 1 % changed", lambda: delete_and_insert(conn, batch))


def types_of(folder: Path, rows: int) -> dict[str, str]:
    """Columns of the staged file."""
    return column_types(pl.scan_parquet(make_rows(folder, rows)).collect_schema())


def upsert(conn: Connection, batch: Batch) -> str:
    """`ON CONFLICT DO UPDATE … WHERE` over all staged rows."""
    with conn.transaction():
        return f"{conn.execute(batch.fill(PLAIN_UPSERT)).rowcount} rows"


def delete_and_insert(conn: Connection, batch: Batch) -> str:
    """What dlt and others do: delete the keys that are staged, insert all that is staged."""
    with conn.transaction():
        conn.execute(batch.fill("DELETE FROM {target} old USING {staging} new WHERE old.id = new.id"))
        query = "INSERT INTO {target} ({columns}) SELECT {columns} FROM {staging}"
        return f"{conn.execute(batch.fill(query)).rowcount} rows"


def bench_first(dsn: str, folder: Path, rows: int) -> None:
    """The client's memory while rows go through it, and a first load."""
    file = make_rows(folder, rows)
    with open_connection(dsn) as conn:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        measure(conn, f"COPY of {rows:,} rows into staging", lambda: stage(conn, MERGED, file).staged)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"  client's peak: {before / 1024:.0f} MiB before, {after / 1024:.0f} MiB after")
        batch = Batch("public", MERGED, LOAD_ID, types_of(folder, rows), rows, NOON, is_whole=False)
        measure(conn, "first load: fill, then key", lambda: fill(conn, batch))
        conn.execute("VACUUM ANALYZE items")


def main() -> None:
    """Run one benchmark."""
    what, *more = sys.argv[1:]
    folder = Path(os.environ.get("ASSAY_BENCH_HOME") or tempfile.mkdtemp(prefix="assay-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    server = os.environ.get("ASSAY_TEST_DSN") or start_postgres(folder)
    with psycopg.connect(server, autocommit=True) as conn:
        if (
            what != "merge"
            or not conn.execute("SELECT 1 FROM pg_database WHERE datname = 'bench'").fetchone()
        ):
            conn.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
            conn.execute("CREATE DATABASE bench")
        print(conn.execute("SELECT version()").fetchone()[0])  # type: ignore[index]
    dsn = make_conninfo(server, dbname="bench")
    with open_connection(dsn) as conn:
        prepare_staging(conn)
    match what:
        case "replace":
            bench_replace(dsn, folder, int(more[0]) if more else FLIGHTS)
        case "merge":
            bench_merge(dsn, folder, int(more[1]) if more[1:] else MILLIONS, more[0])
        case "first":
            bench_first(dsn, folder, int(more[0]) if more else MILLIONS)


if __name__ == "__main__":
    main()
