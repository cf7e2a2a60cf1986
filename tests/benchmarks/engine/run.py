"""Run the contestants in turn (A B A B …), one process each, and print medians.

The README beside this file says how to run it and how to read it.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = "tests.benchmarks.engine"
ROOT = Path(__file__).parents[3]
OURS = (
    "assay_engine",
    "assay_engine_scan",
    "polars_query",
    "polars_query_scan",
    "polars_query_hashed",
)
SUITES = ("with-timestamps", "without-timestamps")
PEERS = ("gx_pandas", "pandera_schema", "dataframely_schema", "pointblank_plan")
MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


@dataclass(frozen=True)
class Run:
    """What one process took: CPU seconds of all threads, wall seconds, and its greatest memory.

    `whole_cpu` and `peak_mib` are the system's account of the finished process; the rest is its own.
    """

    whole_cpu: float
    peak_mib: float
    import_cpu: float
    load_cpu: float
    validate_cpu: float
    wall: float
    validate_wall: float
    collects: int
    verdicts: dict[str, bool]

    @property
    def work_cpu(self) -> float:
        """Reading and validating, imports apart."""
        return self.load_cpu + self.validate_cpu


def run_once(python: str, contestant: str, path: Path, suite: str, wrap: list[str]) -> Run:
    worker = [python, "-W", "ignore", "-m", f"{PACKAGE}.worker"]
    command = [*wrap, *worker, contestant, str(path.absolute()), suite]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{contestant} ended with {process.returncode}: {shlex.join(command)}")
    told = json.loads(output.splitlines()[-1])
    cpu = {part: times[0] for part, times in told["parts"].items()}
    wall = {part: times[1] for part, times in told["parts"].items()}
    return Run(
        whole_cpu=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss * MEMORY_UNIT / 2**20,
        import_cpu=cpu["import"],
        load_cpu=cpu["load"],
        validate_cpu=cpu["validate"],
        wall=sum(wall.values()),
        validate_wall=wall["validate"],
        collects=told["collects"],
        verdicts=told["verdicts"],
    )


def measure(args: argparse.Namespace, path: Path) -> dict[str, list[Run]]:
    pythons = {name: args.peers_python if name in PEERS else sys.executable for name in args.contestants}
    runs: dict[str, list[Run]] = {name: [] for name in args.contestants}
    for number in range(args.runs + args.warmup):
        for name, done in runs.items():
            run = run_once(pythons[name], name, path, args.suite, shlex.split(args.wrap))
            if number >= args.warmup:
                done.append(run)
    verdicts = {name: done[0].verdicts for name, done in runs.items()}
    first = verdicts[args.contestants[0]]
    if unlike := [name for name, found in verdicts.items() if found != first]:
        raise SystemExit(f"These do not make the same checks as {args.contestants[0]}: {unlike}")
    print(f"{len(first)} checks, {sum(first.values())} passed; the same verdicts by all contestants")
    return runs


COLUMNS: dict[str, Callable[[Run], float]] = {
    "validate": lambda run: run.validate_cpu,
    "read + validate": lambda run: run.work_cpu,
    "import": lambda run: run.import_cpu,
    "whole process": lambda run: run.whole_cpu,
    "validate wall": lambda run: run.validate_wall,
    "whole wall": lambda run: run.wall,
    "peak MiB": lambda run: run.peak_mib,
    "collects": lambda run: run.collects,
}


COMPARED = ("validate", "read + validate", "whole process")


def show(runs: dict[str, list[Run]], yardstick: str) -> None:
    print(f"\n{'median, CPU seconds first':28s}" + "".join(f"{name:>17s}" for name in COLUMNS))
    for name, done in runs.items():
        medians = {title: statistics.median(map(read, done)) for title, read in COLUMNS.items()}
        print(f"{name:28s}" + "".join(_cell(title, value) for title, value in medians.items()))
    print(f"\n{'pair by pair, median [min, max]':40s}" + "".join(f"{title:>22s}" for title in COMPARED))
    for name, done in runs.items():
        pairs = list(zip(done, runs[yardstick], strict=True))
        ratios = [[COLUMNS[title](a) / COLUMNS[title](b) for a, b in pairs] for title in COMPARED]
        print(f"{name + ' / ' + yardstick:40.40s}" + "".join(f"{_spread(each):>22s}" for each in ratios))


def _cell(title: str, value: float) -> str:
    return f"{value:17.0f}" if title in {"peak MiB", "collects"} else f"{value:17.3f}"


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} [{min(values):.2f}, {max(values):.2f}]"


def find_data(folder: Path, rows: int) -> Path:
    path = folder / f"flights-{rows}.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", f"{PACKAGE}.data", str(path), str(rows)], check=True, cwd=ROOT)
    return path


def parse(arguments: list[str] | None = None) -> Any:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contestants", nargs="*", default=["assay_engine", "polars_query"], metavar="NAME")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=1, help="runs of each that do not count")
    parser.add_argument("--suite", choices=SUITES, default=SUITES[0])
    parser.add_argument("--data", type=Path, default=ROOT / ".assay" / "benchmarks")
    parser.add_argument("--peers-python", default="", help="Python of the environment of requirements.txt")
    parser.add_argument("--wrap", default="", help="a command put before each, such as 'taskset -c 0,1'")
    args = parser.parse_args(arguments)
    if unknown := [name for name in args.contestants if name not in OURS + PEERS]:
        parser.error(f"no contestant {unknown[0]!r}; there are {', '.join(OURS + PEERS)}")
    if not args.peers_python and any(name in PEERS for name in args.contestants):
        parser.error("--peers-python is needed for " + ", ".join(PEERS))
    return args


def main() -> None:
    args = parse()
    path = find_data(args.data, args.rows)
    print(f"{args.rows:,} rows, suite {args.suite}, {args.runs} runs of each in turn, {os.cpu_count()} cores")
    show(measure(args, path), args.contestants[0])


if __name__ == "__main__":
    main()
