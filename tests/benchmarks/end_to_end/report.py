"""Write the tables and the plot of docs/benchmarks.md from the figures kept in `figures/`.

python -m tests.benchmarks.end_to_end.report [--peers .peers/bin/python]
"""

import argparse
import statistics
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.benchmarks.end_to_end.fleet import Throughput
from tests.benchmarks.end_to_end.results import FOLDER, Results, read_results
from tests.benchmarks.end_to_end.targets import TARGETS, Target

PROJECT = Path(__file__).parents[3]
PAGE = PROJECT / "docs/benchmarks.md"
PLOT = PROJECT / "docs/benchmarks.svg"
BEGIN, END = "<!-- generated: begin -->\n", "<!-- generated: end -->\n"
DRAWN = {"first", "unchanged", "latency"}
COLUMNS = {
    "whole process, s": "wall_s",
    "steady state, s": "steady_s",
    "CPU of the client, s": "cpu_s",
    "CPU of Postgres, s": "postgres_cpu_s",
    "peak memory, MiB": "peak_mib",
    "WAL, MiB": "wal_mib",
}
TITLES = {
    "first": "336,776 flights into an empty database",
    "unchanged": "The same again into the full table, nothing changed",
    "latency": "Every page 50 ms late, 8 connections",
    "tenfold": "Ten times the rows",
    "narrow": "10 million narrow rows",
    "small": "A pipeline of 100 rows",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.end_to_end.report", description=__doc__)
    parser.add_argument("--peers", type=Path, default=PROJECT / ".peers/bin/python", help="the peers' Python")
    parser.add_argument("--results", type=Path, default=FOLDER, help="where the figures are")
    args = parser.parse_args()
    results = {
        name: read_results(args.results / f"{name}.json")
        for name in TITLES
        if args.results.joinpath(f"{name}.json").exists()
    }
    fleet_file = args.results / "fleet.json"
    fleet = msgspec.json.decode(fleet_file.read_bytes(), type=list[Throughput]) if fleet_file.exists() else []
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    generated = "\n".join(_write(results, fleet)) + "\n"
    PAGE.write_text(before + BEGIN + generated + END + after, encoding="utf-8")
    if not DRAWN & set(results):
        return
    plot = Path(__file__).with_name("plot.py")
    subprocess.run([str(args.peers), str(plot), str(args.results), str(PLOT)], check=True)


def _write(results: Mapping[str, Results], fleet: Iterable[Throughput]) -> Iterator[str]:
    if results:
        latest = max(results.values(), key=lambda each: each.made_at)
        yield f"Made on {latest.made_at:%Y-%m-%d}: {latest.machine}; medians, every figure of one machine.\n"
    yield from _table(("wanted", "at least", "found", ""), map(_judge(results), TARGETS))
    if DRAWN & set(results):
        yield "\n![Seconds as whole processes](benchmarks.svg)"
    for name, result in results.items():
        yield f"\n### {TITLES[name]}\n"
        yield from _table(("", "rounds", *COLUMNS), _rows(result))
    if fleet:
        yield "\n### A hundred pipelines deployed, one worker\n"
        header = ("at once", "runs an hour", "a run, s", "CPU s a run: worker and run", "Prefect server")
        yield from _table(header, map(_fleet_row, fleet))
    for name in ("first", "small"):
        if name in results and (steps := _steps(results[name])):
            yield f"\n### Where the time goes: {TITLES[name]}, under Prefect\n"
            yield from _table(("step", "from s", "took s", "of which"), steps)


def _judge(results: Mapping[str, Results]) -> Callable[[Target], tuple[str, ...]]:
    def judge(target: Target) -> tuple[str, ...]:
        found = target.measure({name: result.runs for name, result in results.items()})
        if found is None:
            return target.what, target.state_wanted(), "not measured", ""
        verdict = "✓" if target.holds(found) else "not yet"
        return target.what, target.state_wanted(), target.state(found), verdict

    return judge


def _rows(results: Results) -> Iterator[tuple[str, ...]]:
    for name in dict.fromkeys(run.contestant for run in results.runs):
        runs = [run for run in results.runs if run.contestant == name]
        medians = [statistics.median(getattr(run, column) for run in runs) for column in COLUMNS.values()]
        yield (
            name,
            str(len(runs)),
            *(f"{value:,.0f}" if value >= 100 else f"{value:.2f}" for value in medians),
        )


def _fleet_row(each: Throughput) -> tuple[str, ...]:
    return (
        str(each.at_once),
        f"{each.runs_per_hour:,.0f}",
        f"{each.run_s:.1f}",
        f"{each.worker_cpu_s / each.runs:.1f}",
        f"{each.server_cpu_s / each.runs:.1f}",
    )


def _steps(results: Results) -> list[tuple[str, ...]]:
    """Of the run under Prefect whose time was the median, with what came before and after its steps."""
    own = (run for run in results.runs if run.contestant == "assay, under Prefect" and run.before_s)
    runs = sorted(own, key=lambda run: run.wall_s)
    if not runs:
        return []
    run = runs[(len(runs) - 1) // 2]
    ended_s = run.before_s + run.steady_s
    return [
        ("imports, and Prefect's start", "0.00", f"{run.before_s:.2f}", "meanwhile the helper imports GX"),
        *(_step_row(step, run.before_s) for step in run.steps),
        ("Prefect's end, summary, exit", f"{ended_s:.2f}", f"{run.wall_s - ended_s:.2f}", ""),
    ]


def _step_row(step: Mapping[str, Any], before_s: float) -> tuple[str, ...]:
    parts = sorted(step["parts"].items(), key=lambda part: -part[1])
    return (
        " ".join(filter(None, (step["step"], step["subject"]))),
        f"{before_s + step['started_s']:.2f}",
        f"{step['took_s']:.2f}",
        ", ".join(f"{name} {seconds:.2f}" for name, seconds in parts if seconds >= 0.005),
    )


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    cells = list(header)
    yield f"| {' | '.join(cells)} |"
    yield f"|{'---|' * len(cells)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    main()
