"""A first load, and the client's memory while rows go through it."""

import resource
from pathlib import Path

from tasks.load.connection import open_connection
from tests.benchmarks.load.measuring import measure, tenths, weighing
from tests.benchmarks.load.rows import MERGED, fill, make_batch, make_rows, stage


def bench_first(dsn: str, folder: Path, rows: int) -> None:
    """COPY into staging, then fill and key the new table."""
    file = make_rows(folder, rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    with open_connection(dsn) as conn:
        with weighing() as series:
            measure(conn, f"COPY of {rows:,} rows into staging", lambda: stage(conn, MERGED, file).staged)
        batch = make_batch(MERGED, file, "bench-1")
        measure(conn, "first load: fill, then key", lambda: fill(conn, batch))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"client's peak: {before} MiB before, {after} MiB after; in each tenth of COPY: {tenths(series)} MiB"
    )
