"""Run assay and its peers side by side, from an API into Postgres; one command for each scenario, or all.

    python -m tests.benchmarks.end_to_end [first] [unchanged] [latency] [tenfold] [narrow] [small]
    python -m tests.benchmarks.end_to_end.fleet
    python -m tests.benchmarks.end_to_end.report      # the table and the plot of docs/benchmarks.md

    first       336,776 flights into an empty database
    unchanged   the same once more: a merge into the full table, nothing changed
    latency     the same flights, every page 50 ms late
    tenfold     ten times the flights, beside one time
    narrow      10 million narrow rows
    small       one page of 100 rows: what a run costs that has nothing to do

Needs the peers' Python, made once (elsewhere than in the project's environment):

    python3 -m venv .peers && .peers/bin/pip install -r tests/benchmarks/end_to_end/peers.txt

Every round runs each contestant once, in turn, each into a database of its own, so that the ratios within a
round hold when the machine's speed drifts. Memory is that of one more round, before the first, whose times do
not count: to be watched costs time. API, Postgres and Prefect server are the same for all, and processes of
their own. Nothing else should run meanwhile.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import psycopg
from psycopg import sql

from tests.benchmarks.end_to_end.arena import Arena, open_arena
from tests.benchmarks.end_to_end.measuring import Measurement
from tests.benchmarks.end_to_end.results import FOLDER, Result, add_results
from tests.benchmarks.end_to_end.roster import SCENARIOS, Contestant

PROJECT = Path(__file__).parents[3]
COLUMNS = ("steady_s", "wall_s", "cpu_s", "postgres_cpu_s", "peak_mib", "wal_mib")


def main() -> None:
    args = _parse_args()
    chosen = args.scenarios or list(SCENARIOS)
    wanted = {
        name: tuple(c for c in SCENARIOS[name] if not args.only or any(word in c.name for word in args.only))
        for name in chosen
    }
    if "unchanged" in wanted:  # comes after `first`, in the same database
        wanted.pop("first", None)
    sources = {contestant.source for contestants in wanted.values() for contestant in contestants}
    with (
        tempfile.TemporaryDirectory(prefix="assay-bench-") as home,
        open_arena(Path(home), args.peers.absolute(), sources) as arena,
    ):
        for scenario, contestants in wanted.items():
            results = list(_run_rounds(arena, scenario, contestants, args.rounds))
            _print_table(results)
            if args.results:
                add_results(args.results, results, append=args.append)


def _run_rounds(
    arena: Arena, scenario: str, contestants: tuple[Contestant, ...], rounds: int
) -> Iterator[Result]:
    peaks: dict[tuple[str, str], float] = {}
    for number in range(rounds + 1):
        for contestant in contestants:
            for name, measured in _run_contestant(arena, scenario, contestant, watches_memory=not number):
                sys.stderr.write(f"{name}, round {number}, {contestant.name}: {_describe(measured)}\n")
                if number:
                    timed = replace(measured, peak_mib=peaks[name, contestant.name])
                    yield Result(scenario=name, contestant=contestant.name, **asdict(timed))
                else:
                    peaks[name, contestant.name] = measured.peak_mib


def _run_contestant(
    arena: Arena, scenario: str, contestant: Contestant, *, watches_memory: bool
) -> Iterator[tuple[str, Measurement]]:
    with arena.database() as dsn:
        first = arena.run(contestant, contestant.words, dsn, watches_memory=watches_memory)
        yield ("first" if scenario == "unchanged" else scenario), first
        if scenario == "unchanged" and contestant.again:
            _settle(dsn)
            again = arena.run(contestant, contestant.again, dsn, watches_memory=watches_memory)
            yield "unchanged", again
        _check_loaded(dsn, contestant)


def _settle(dsn: str) -> None:
    """What autovacuum does in its own time, and what would be counted as the next load's."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("VACUUM ANALYZE")
        conn.execute("CHECKPOINT")


def _check_loaded(dsn: str, contestant: Contestant) -> None:
    table = sql.Identifier(*contestant.table.split("."))
    with psycopg.connect(dsn) as conn:
        found = conn.execute(sql.SQL("SELECT count(*), count(DISTINCT id) FROM {}").format(table)).fetchone()
    if found != (contestant.rows, contestant.rows):
        raise RuntimeError(f"{contestant.name}: rows and keys {found} instead of {contestant.rows}")


def _describe(measured: Measurement) -> str:
    return ", ".join(f"{column} {getattr(measured, column):.2f}" for column in COLUMNS)


def _print_table(results: list[Result]) -> None:
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.scenario, result.contestant), []).append(result)
    print(f"{'median of ' + str(max(map(len, groups.values()))):45}" + "".join(f"{c:>16}" for c in COLUMNS))
    for (scenario, contestant), runs in sorted(groups.items(), key=lambda group: group[0][0]):
        medians = [statistics.median(getattr(run, column) for run in runs) for column in COLUMNS]
        print(f"{scenario + ': ' + contestant:45}" + "".join(f"{value:16.2f}" for value in medians))


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.end_to_end",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", metavar="scenario", choices=[*SCENARIOS, []], help="all")
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds (default: %(default)s)")
    parser.add_argument("--only", nargs="*", help="contestants whose name holds one of these words")
    parser.add_argument("--peers", type=Path, default=PROJECT / ".peers/bin/python", help="the peers' Python")
    parser.add_argument(
        "--results", type=Path, nargs="?", const=FOLDER, help="keep every run's figures in this folder"
    )
    parser.add_argument("--append", action="store_true", help="keep the earlier figures, too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
