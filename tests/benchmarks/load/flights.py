"""The demo's whole year: the tables against the source, and what a reader waits while a load is published."""

import time
from pathlib import Path

from deployments.local.api.server import DemoApi
from tests.acceptance.conftest import PIPELINE, World
from tests.acceptance.source import COLUMNS, hash_rows, read_source, read_table
from tests.benchmarks.load.measuring import describe, reading

READ = "SELECT count(*), sum(distance_mi) FROM flights WHERE id BETWEEN 1000 AND 1100"
OPENED = "SELECT max(extract(epoch FROM published_at))::float8 FROM assay.publications"
COMMITTED = "SELECT count(*) FROM assay.publications"
CORRECTED = range(1, 336_777, 33)


def bench_flights(dsn: str, folder: Path) -> None:
    """A first load, compared by hash; then 3 % corrected flights, under the eyes of a reader."""
    with DemoApi("token-of-the-benchmark") as api:
        world = World(dsn, folder / "home", api)
        _run(world)
        for table in COLUMNS:
            found, source = hash_rows(read_table(dsn, table)), hash_rows(read_source(table))
            print(f"{table}: {found == source} ({found[:12]} = {source[:12]})")
        world.control("correct", resource="flights", ids=list(CORRECTED), set={"distance": 1000})
        with reading(dsn, READ) as reads, reading(dsn, COMMITTED) as counts:
            started = time.time()
            _run(world)
            seconds = time.time() - started
        [(opened,)] = world.query(OPENED)
        committed = next(read.at for read in counts if read.row == (2,))
        during = [read for read in reads if opened - read.seconds <= read.at <= committed]
        with reading(dsn, READ) as idle:
            time.sleep(committed - opened)
        with reading(dsn, READ) as idle_long:
            time.sleep(seconds)
        print(f"{len(CORRECTED):,} flights corrected; publishing transaction {committed - opened:.2f} s")
        print(f"  during the publishing transaction: {describe(during)}")
        print(f"  idle control of that length:       {describe(idle)}")
        print(f"  during the whole run of {seconds:.1f} s:    {describe(reads)}")
        print(f"  idle control of that length:       {describe(idle_long)}", flush=True)


def _run(world: World) -> None:
    done = world.assay("run", PIPELINE, "--no-prefect", "-q")
    assert done.returncode == 0, done.stderr
    print(done.stdout.strip().splitlines()[0], flush=True)
