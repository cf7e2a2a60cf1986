"""Seconds, WAL and growth of what is done to `items`; what readers wait meanwhile; the client's memory."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tasks.load.connection import Connection, fetch_int, fetch_one

READ = "SELECT count(*), sum(price) FROM items WHERE id BETWEEN 1000 AND 1100"
PAUSE_S = 0.002


@dataclass(frozen=True)
class Cost:
    """What it took."""

    seconds: float
    wal_mb: float
    result: object


def measure(conn: Connection, what: str, act: Callable[[], object]) -> Cost:
    """Do it right after a checkpoint, and print what it took."""
    conn.execute("CHECKPOINT")
    query = "SELECT pg_current_wal_insert_lsn()::text"
    before, started = str(fetch_one(conn, query)[0]), time.perf_counter()
    result = act()
    seconds = time.perf_counter() - started
    written = fetch_int(conn, "SELECT (pg_current_wal_insert_lsn() - %s::pg_lsn)::bigint", before) / 1e6
    size = fetch_int(conn, "SELECT coalesce(pg_total_relation_size(to_regclass('items')), 0)") / 1e6
    print(f"{what:<44} {seconds:7.2f} s  WAL {written:10.3f} MB  table {size:6.0f} MB  {result}", flush=True)
    return Cost(seconds, written, result)


@dataclass(frozen=True)
class Read:
    """One look at a table: when it began, by the clock; how long it took; what it saw."""

    at: float
    seconds: float
    row: object


@contextmanager
def reading(dsn: str, query: str = READ) -> Iterator[list[Read]]:
    """Read the table over and over from another connection."""
    reads: list[Read] = []
    done = threading.Event()

    def read() -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            while not done.is_set():
                at, started = time.time(), time.perf_counter()
                row = conn.execute(query.encode()).fetchone()
                reads.append(Read(at, time.perf_counter() - started, row))
                time.sleep(PAUSE_S)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield reads
    finally:
        done.set()
        reader.join()


def describe(reads: list[Read]) -> str:
    """The median, the 99th percentile and the longest read, in milliseconds."""
    ordered = sorted(read.seconds * 1e3 for read in reads)
    median, late = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    return f"{len(reads)} reads, median {median:.1f}, 99 % {late:.1f}, longest {ordered[-1]:.1f} ms"


@contextmanager
def weighing(every_s: float = 0.25) -> Iterator[list[int]]:
    """This process's resident memory over time, in MiB."""
    series: list[int] = []
    done = threading.Event()
    page = os.sysconf("SC_PAGE_SIZE")

    def weigh() -> None:
        while not done.wait(every_s):
            resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
            series.append(resident * page // 2**20)

    scales = threading.Thread(target=weigh)
    scales.start()
    try:
        yield series
    finally:
        done.set()
        scales.join()


def tenths(series: list[int]) -> list[int]:
    """The greatest value of each tenth."""
    size = max(1, len(series) // 10)
    return [max(series[start : start + size]) for start in range(0, len(series), size)]
