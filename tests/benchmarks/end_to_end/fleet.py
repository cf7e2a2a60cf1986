"""A hundred small pipelines deployed, one worker: how many runs an hour, and what limits it.

    python -m tests.benchmarks.end_to_end.fleet [--runs 24] [--at-once 2 4] [--results]

Each pipeline is a copy of `bench_orders`, one page of 100 rows, in a schema of its own. A run of as many of
them as `--runs` says is asked for at once; the worker is `prefect worker start`, as in production.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import psutil
import requests

from tests.benchmarks.end_to_end.arena import Arena, open_arena
from tests.benchmarks.end_to_end.project import FLEET
from tests.benchmarks.end_to_end.results import FOLDER, describe_machine

PIPELINES = 100
POOL = "assay"
TIMEOUT_S = 600.0


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker got done.

    Attributes:
        at_once: Runs that it may have at work together.
        runs: How many there were.
        seconds: From the first one's start to the last one's end.
        run_s: The median of a run, from its start to its end as Prefect has them.
        worker_cpu_s: Processor time of the worker and of all its runs.
        server_cpu_s: The same of the Prefect server.
    """

    at_once: int
    runs: int
    seconds: float
    run_s: float
    worker_cpu_s: float
    server_cpu_s: float
    machine: str

    @property
    def runs_per_hour(self) -> float:
        """As it would go on."""
        return self.runs / self.seconds * 3600


class Rest:
    """The Prefect server's API."""

    def __init__(self, url: str) -> None:
        self._url = url

    def call(self, method: str, path: str, **json: Any) -> Any:
        """Call it; SQLite, under the server, may be locked for a moment."""
        for attempt in range(10):
            response = requests.request(method, f"{self._url}/{path}", json=json, timeout=30)
            if response.status_code != requests.codes.service_unavailable:
                break
            time.sleep(0.3 * attempt)
        response.raise_for_status()
        return response.json() if response.content else None


def main() -> None:
    args = _parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="assay-bench-") as home,
        open_arena(Path(home), Path(sys.executable), {"orders"}, fleet=PIPELINES) as arena,
    ):
        found = [_measure(arena, args.runs, at_once) for at_once in args.at_once]
    for each in found:
        print(f"{each.at_once} at once: {each.runs_per_hour:.0f} runs an hour; {each}")
    if args.results:
        args.results.joinpath("fleet.json").write_bytes(
            msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
        )


def _measure(arena: Arena, runs: int, at_once: int) -> Throughput:
    rest = Rest(arena.prefect["PREFECT_API_URL"])
    with arena.database() as dsn:
        env = {**arena.clean, **arena.prefect, **arena.environment("orders", dsn)}
        names = [FLEET.format(number) for number in range(1, PIPELINES + 1)]
        env |= {f"ASSAY_BASE_URL_{name.upper()}": arena.urls["orders"] for name in names}
        env["PYTHONPATH"] = str(arena.project)
        subprocess.run(
            [sys.executable, "deployments/apply.py"],
            cwd=arena.project,
            env=env,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        rest.call("PATCH", f"work_pools/{POOL}", concurrency_limit=at_once)
        flow = rest.call("POST", "flows/", name="ingest")["id"]
        deployments = [_deploy(rest, flow, name) for name in names]
        asked = [
            rest.call("POST", f"deployments/{each}/create_flow_run", state={"type": "SCHEDULED"})["id"]
            for each in deployments[:runs]
        ]
        server_before = _server_cpu_s(arena)
        with _worker(arena.home, env) as worker:
            ended = _wait_for(rest, asked)
            worker_cpu_s = _cpu_s(worker)
        server_cpu_s = _server_cpu_s(arena) - server_before
    return _sum_up(at_once, ended, worker_cpu_s, server_cpu_s)


def _deploy(rest: Rest, flow: str, name: str) -> str:
    deployed = rest.call(
        "POST",
        "deployments/",
        name=name,
        flow_id=flow,
        entrypoint="flows.ingest.ingest",
        parameters={"pipeline": name},
        work_pool_name=POOL,
        pull_steps=[],
        enforce_parameter_schema=False,
    )
    return str(deployed["id"])


@contextmanager
def _worker(home: Path, env: dict[str, str]) -> Iterator[psutil.Process]:
    with home.joinpath("worker.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL],
            cwd=home,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _wait_for(rest: Rest, asked: list[str]) -> list[dict[str, Any]]:
    deadline = time.monotonic() + TIMEOUT_S
    runs: list[dict[str, Any]] = []
    while time.monotonic() < deadline:
        try:
            runs = rest.call("POST", "flow_runs/filter", flow_runs={"id": {"any_": asked}})
        except requests.ReadTimeout as exc:
            print(f"The Prefect server was asked again: {exc}", file=sys.stderr)
            continue
        if all(run["state_type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} for run in runs):
            break
        time.sleep(1)
    else:
        raise TimeoutError(f"{[run['state_name'] for run in runs]}")
    if wrong := [run["state"]["message"] for run in runs if run["state_type"] != "COMPLETED"]:
        raise RuntimeError(f"{len(wrong)} of {len(runs)} runs failed: {wrong[0]}")
    return runs


def _sum_up(at_once: int, runs: list[dict[str, Any]], worker_cpu_s: float, server_cpu_s: float) -> Throughput:
    starts = [datetime.fromisoformat(run["start_time"]) for run in runs]
    ends = [datetime.fromisoformat(run["end_time"]) for run in runs]
    lengths = sorted((end - start).total_seconds() for start, end in zip(starts, ends, strict=True))
    return Throughput(
        at_once=at_once,
        runs=len(runs),
        seconds=(max(ends) - min(starts)).total_seconds(),
        run_s=lengths[len(lengths) // 2],
        worker_cpu_s=worker_cpu_s,
        server_cpu_s=server_cpu_s,
        machine=describe_machine(),
    )


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _server_cpu_s(arena: Arena) -> float:
    port = arena.prefect["PREFECT_API_URL"].rpartition(":")[2].partition("/")[0]
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "server" in words and "start" in words and port in words:
            return _cpu_s(process)
    raise RuntimeError(f"There is no Prefect server at port {port}.")


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.end_to_end.fleet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, default=24, help="runs measured (default: %(default)s)")
    parser.add_argument("--at-once", type=int, nargs="*", default=[2, 4], help="runs at work together")
    parser.add_argument(
        "--results", type=Path, nargs="?", const=FOLDER, help="keep the figures in this folder"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
