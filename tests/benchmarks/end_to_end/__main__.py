"""Run assay and its peers side by side: the resource flights of the demo API into Postgres.

    python -m tests.benchmarks.end_to_end [--rounds 5] [--scenario first unchanged latency] [--json FILE]

Needs the peers' Python, made once:

    python3 -m venv .peers && .peers/bin/pip install -r tests/benchmarks/end_to_end/peers.txt

Every round runs each contestant once, in turn, each into a database of its own, so that the ratios within a
round hold when the machine's speed drifts; medians over the rounds are printed. API, Postgres and Prefect
server are the same for all, and processes of their own.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from deployments.local.api.process import running_demo_api
from deployments.local.prefect_server import prefect_server
from tasks.load.embedded import start_postgres
from tests.benchmarks.end_to_end.measuring import Measurement, measure

FOLDER = Path(__file__).parent
PROJECT = FOLDER.parents[2]
TOKEN = "demo-token"
TEMPLATE = "planes_loaded"
TIMEOUT_S = 300.0
FLIGHTS = 336_776


@dataclass(frozen=True)
class Contestant:
    """A command, and whether what it loaded may be loaded again by the same command."""

    name: str
    script: str
    words: tuple[str, ...]
    again: tuple[str, ...] = ()
    is_peer: bool = False


CONTESTANTS = (
    Contestant("hand-written line", "straight_line", ()),
    Contestant("assay, imports apart", "assay_flights", ("warm",), ("warm", "--full-refresh")),
    Contestant("assay", "assay_flights", ("plain",), ("plain", "--full-refresh")),
    Contestant("assay under Prefect", "assay_flights", ("prefect",), ("prefect", "--full-refresh")),
    Contestant("dlt as it comes", "dlt_rest", ("plain", "merge"), ("plain", "merge"), is_peer=True),
    Contestant("dlt tuned", "dlt_rest", ("tuned", "merge"), ("tuned", "merge"), is_peer=True),
)


@dataclass(frozen=True)
class Arena:
    """What all contestants share."""

    dsn: str
    postmaster: int
    api_url: str
    prefect_env: Mapping[str, str]
    peers_python: Path

    def run(self, contestant: Contestant, words: tuple[str, ...], dsn: str, home: Path) -> Measurement:
        """One run of a contestant."""
        if contestant.is_peer:
            python = [str(self.peers_python), str(FOLDER / "contestants" / f"{contestant.script}.py")]
        else:
            python = [sys.executable, "-m", f"tests.benchmarks.end_to_end.contestants.{contestant.script}"]
        env = {
            name: value for name, value in os.environ.items() if not name.startswith(("ASSAY_", "PREFECT_"))
        }
        env |= {
            "BENCH_DSN": dsn,
            "BENCH_API": self.api_url,
            "BENCH_TOKEN": TOKEN,
            "BENCH_HOME": str(home),
            "ASSAY_HOME": str(home),
            "ASSAY_DATABASE_URL": dsn,
            "ASSAY_BASE_URL_NYC_FLIGHTS": self.api_url,
            "ASSAY_SECRET_NYC_FLIGHTS_TOKEN": TOKEN,
            **self.prefect_env,
        }
        return measure([*python, *words], env, self.postmaster, TIMEOUT_S)

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """A database of a contestant's own, with the planes that the suite of flights looks up."""
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, TEMPLATE)))
            )
            conn.execute("CHECKPOINT")
        yield _database(self.dsn, name)
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def main() -> None:
    args = _parse_args()
    with ExitStack() as stack:
        arena = _open_arena(stack, args)
        results: dict[str, list[dict[str, object]]] = {}
        for number in range(args.rounds + 1):  # the first warms caches and is not counted
            for contestant in CONTESTANTS:
                if args.only and not any(word in contestant.name for word in args.only):
                    continue
                for name, measured in _run_contestant(arena, contestant, args.scenario):
                    if number:
                        results.setdefault(name, []).append(asdict(measured))
                    sys.stderr.write(f"round {number}: {name}: {measured}\n")
    _print_table(results)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


def _run_contestant(
    arena: Arena, contestant: Contestant, scenario: list[str]
) -> Iterator[tuple[str, Measurement]]:
    home = Path(tempfile.mkdtemp(prefix="assay-bench-"))
    with arena.database("contest") as dsn:
        yield f"first load: {contestant.name}", arena.run(contestant, contestant.words, dsn, home)
        if "unchanged" in scenario and contestant.again:
            yield f"unchanged: {contestant.name}", arena.run(contestant, contestant.again, dsn, home)
        _check_loaded(dsn, contestant)


def _check_loaded(dsn: str, contestant: Contestant) -> None:
    table = sql.Identifier("dlt_flights" if contestant.is_peer else "public", "flights")
    query = sql.SQL("SELECT count(*), count(DISTINCT id) FROM {}").format(table)
    with psycopg.connect(dsn) as conn:
        found = conn.execute(query).fetchone()
    if found != (FLIGHTS, FLIGHTS):
        raise RuntimeError(f"{contestant.name}: rows and keys {found} instead of {FLIGHTS}")


def _print_table(results: Mapping[str, list[dict[str, object]]]) -> None:
    columns = ("steady_s", "wall_s", "cpu_s", "postgres_cpu_s", "peak_mib")
    print(f"{'median of ' + str(max(map(len, results.values()))):45}" + "".join(f"{c:>16}" for c in columns))
    for name, runs in sorted(results.items()):
        medians = [statistics.median(float(str(run[column])) for run in runs) for column in columns]
        print(f"{name:45}" + "".join(f"{value:16.2f}" for value in medians))


def _open_arena(stack: ExitStack, args: argparse.Namespace) -> Arena:
    home = Path(tempfile.mkdtemp(prefix="assay-bench-"))
    dsn = start_postgres(home)
    api_url = stack.enter_context(running_demo_api(TOKEN))
    prefect = stack.enter_context(prefect_server(home / "prefect"))
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        data = Path(str(conn.execute("SHOW data_directory").fetchone()[0]))  # type: ignore[index]
    _load_planes(_database(dsn, TEMPLATE), api_url, home)
    postmaster = int(data.joinpath("postmaster.pid").read_text().splitlines()[0])
    prefect_env = {name: value for name, value in prefect.env.items() if name.startswith("PREFECT_")}
    return Arena(dsn, postmaster, api_url, prefect_env, args.peers)


def _load_planes(dsn: str, api_url: str, home: Path) -> None:
    os.environ |= {
        "ASSAY_HOME": str(home),
        "ASSAY_DATABASE_URL": dsn,
        "ASSAY_BASE_URL_NYC_FLIGHTS": api_url,
        "ASSAY_SECRET_NYC_FLIGHTS_TOKEN": TOKEN,
    }
    from flows.catalog import find_pipeline  # noqa: PLC0415
    from flows.path import follow_path, plain_steps  # noqa: PLC0415
    from flows.run import run_pipeline  # noqa: PLC0415
    from flows.wiring import plain_ports  # noqa: PLC0415

    whole = find_pipeline("nyc_flights")
    rest = {"reports": ()} | {
        kind: tuple(one for one in getattr(whole, kind) if one.name != "flights")
        for kind in ("resources", "tables")
    }
    with plain_steps(threads=8) as steps:
        run_pipeline(whole.model_copy(update=rest), plain_ports(), lambda run: follow_path(run, steps))


def _database(dsn: str, name: str) -> str:
    return dsn.replace("/postgres?", f"/{name}?")


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.end_to_end",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds (default: %(default)s)")
    parser.add_argument(
        "--scenario", nargs="*", default=["first", "unchanged"], choices=["first", "unchanged"]
    )
    parser.add_argument("--only", nargs="*", help="contestants whose name holds one of these words")
    parser.add_argument("--peers", type=Path, default=PROJECT / ".peers/bin/python", help="the peers' Python")
    parser.add_argument("--json", type=Path, help="write every run's figures to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
