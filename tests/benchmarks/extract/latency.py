"""Seconds for pages of 50 ms: `python -m tests.benchmarks.extract.latency [PEERS_PYTHON [DIALECT …]]`.

A server in a process of its own answers each page after 50 ms. Dialects that know their pages are fetched
with 1 and with 8 connections; those of which each page names the next can only be read ahead. With the
Python of an environment that has `peers.txt` installed, dlt's REST source extracts the same from the same
server, into Parquet, as its documentation declares it; each in a process of its own, imports not counted.
"""

import json
import multiprocessing
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

from tests.benchmarks.extract.dlt_source import DECLARED as DLT_DECLARED
from tests.integration.tasks.extract.dialects.declarations import DECLARED
from tests.integration.tasks.extract.dialects.paging import PAGING
from tests.integration.tasks.extract.dialects.running import extract, make_records, read_ids
from tests.integration.tasks.extract.dialects.server import DialectServer

PAGES, SIZE, DELAY_S = 337, 100, 0.05
DIALECTS = ("world_bank", "elasticsearch", "socrata", "slack", "github")


def serve(told: Connection, pages: int, delay_s: float) -> None:
    """Run the server until the process is ended."""
    with DialectServer(PAGING, make_records(pages * SIZE)) as server:
        server.delay_s = delay_s
        told.send(server.url)
        threading.Event().wait()


def main() -> None:
    """Print the table."""
    peers = sys.argv[1] if len(sys.argv) > 1 else None
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(there, PAGES, DELAY_S), daemon=True
    )
    process.start()
    url = here.recv()
    print(f"{PAGES} pages of {SIZE} records, {DELAY_S * 1e3:.0f} ms each, {PAGES * DELAY_S:.1f} s in all\n")
    print("| dialect | 1 connection, s | 8 connections, s | dlt, s |\n|---|---|---|---|")
    for dialect in sys.argv[2:] or DIALECTS:
        times = [f"{time_ours(url, dialect, connections):.1f}" for connections in (1, 8)]
        times.append(f"{time_dlt(peers, url, dialect):.1f}" if peers and dialect in DLT_DECLARED else "-")
        print(f"| {dialect} | {' | '.join(times)} |", flush=True)
    process.kill()


def time_ours(url: str, dialect: str, connections: int) -> float:
    """Seconds from the declaration to typed Parquet, landed on the way."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        extracted = extract(url, DECLARED[dialect](), Path(folder), connections=connections)
        seconds = time.perf_counter() - began
        assert read_ids(extracted) == [record["id"] for record in make_records(PAGES * SIZE)]
    return seconds


def time_dlt(python: str, url: str, dialect: str) -> float:
    """Seconds of `pipeline.run` into Parquet files, as dlt's process measures them."""
    script = Path(__file__).with_name("dlt_source.py")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, str(script), url, dialect, folder], capture_output=True, text=True, check=False
        )
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["rows"] == PAGES * SIZE, told
    return float(told["seconds"])


if __name__ == "__main__":
    main()
