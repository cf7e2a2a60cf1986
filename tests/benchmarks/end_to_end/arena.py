"""What all contestants share: Postgres, APIs, Prefect server, and a database of each one's own."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from deployments.local.api.process import running_demo_api
from deployments.local.prefect_server import prefect_server
from tasks.load.embedded import start_postgres
from tests.benchmarks.end_to_end import pages
from tests.benchmarks.end_to_end.measuring import Measurement, measure
from tests.benchmarks.end_to_end.pages_server import running_pages_server
from tests.benchmarks.end_to_end.project import copy_project
from tests.benchmarks.end_to_end.roster import Contestant, Source

CONTESTANTS = Path(__file__).parent / "contestants"
TOKEN = "demo-token"
TEMPLATE = "planes_loaded"
TIMEOUT_S = 900.0


@dataclass(frozen=True)
class Arena:
    """Opened by `open_arena`.

    Attributes:
        dsn: The server's maintenance database.
        urls: Where each source answers.
        prefect: Environment of those that run under Prefect.
        project: A copy of the project with the benchmark's pipelines.
        peers: The peers' Python.
    """

    dsn: str
    urls: Mapping[Source, str]
    prefect: Mapping[str, str]
    project: Path
    peers: Path
    home: Path
    clean: Mapping[str, str] = field(
        default_factory=lambda: {
            name: value for name, value in os.environ.items() if not name.startswith(("ASSAY_", "PREFECT_"))
        }
    )

    def run(
        self, contestant: Contestant, words: tuple[str, ...], dsn: str, *, watches_memory: bool
    ) -> Measurement:
        """One run of a contestant; see `measure`."""
        if contestant.who == "peer":
            command = [str(self.peers), str(CONTESTANTS / f"{words[0]}.py"), *words[1:]]
        else:
            command = [sys.executable, "-m", *words]
        env = {**self.clean, **self.environment(contestant.source, dsn)}
        if contestant.is_under_prefect:
            env |= self.prefect
        return measure(command, env, self.project, dsn, TIMEOUT_S, watches_memory=watches_memory)

    def environment(self, source: Source, dsn: str) -> dict[str, str]:
        """What tells a contestant where its data comes from and goes to."""
        url, home = self.urls[source], str(self.home / "contest")
        pipelines = ("NYC_FLIGHTS", "BENCH_FLIGHTS", "BENCH_DISTANT", "BENCH_READINGS", "BENCH_ORDERS")
        return {
            "BENCH_DSN": dsn,
            "BENCH_API": url,
            "BENCH_TOKEN": TOKEN,
            "BENCH_HOME": home,
            "BENCH_CONNECTIONS": "8" if source == "flights_slow" else "4",
            "ASSAY_HOME": home,
            "ASSAY_DATABASE_URL": dsn,
            "ASSAY_SECRET_NYC_FLIGHTS_TOKEN": TOKEN,
            **{f"ASSAY_BASE_URL_{name}": url for name in pipelines},
        }

    @contextmanager
    def database(self, name: str = "contest") -> Iterator[str]:
        """A database and a home of a contestant's own, with the planes that flights' suite looks up."""
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, TEMPLATE)))
            )
            conn.execute("CHECKPOINT")
        try:
            yield database_url(self.dsn, name)
        finally:
            shutil.rmtree(self.home / "contest", ignore_errors=True)
            with psycopg.connect(self.dsn, autocommit=True) as conn:
                conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def open_arena(home: Path, peers: Path, sources: set[Source], *, fleet: int = 0) -> Iterator[Arena]:
    """Start the servers, and prepare the pages of these sources."""
    with ExitStack() as stack:
        dsn = start_postgres(home)
        demo = stack.enter_context(running_demo_api(TOKEN))
        _write_pages(home / "pages", demo, sources)
        _write_pages(home / "tenfold", demo, sources)
        ready = stack.enter_context(running_pages_server(home / "pages"))
        tenfold = stack.enter_context(running_pages_server(home / "tenfold"))
        prefect = stack.enter_context(prefect_server(home / "prefect"))
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        _load_planes(database_url(dsn, TEMPLATE), demo, home)
        urls: dict[Source, str] = dict.fromkeys(("flights", "readings", "orders"), ready)
        yield Arena(
            dsn=dsn,
            urls=urls | {"demo": demo, "flights_slow": f"{ready}/slow", "tenfold": tenfold},
            prefect={name: value for name, value in prefect.env.items() if name.startswith("PREFECT_")},
            project=copy_project(home / "project", fleet=fleet),
            peers=peers,
            home=home,
        )


def database_url(dsn: str, name: str) -> str:
    """The DSN of another database of the same server."""
    return dsn.replace("/postgres?", f"/{name}?")


def _write_pages(folder: Path, demo: str, sources: set[Source]) -> None:
    folder.mkdir()
    if folder.name == "tenfold":
        if "tenfold" in sources:
            pages.write_pages(folder, "flights", pages.flight_pages(demo, TOKEN, 10))
        return
    pages.write_pages(folder, "orders", pages.order_pages())
    if sources & {"flights", "flights_slow"}:
        pages.write_pages(folder, "flights", pages.flight_pages(demo, TOKEN, 1))
    if "readings" in sources:
        pages.write_pages(folder, "readings", pages.reading_pages())


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
        kind: tuple(one for one in getattr(whole, kind) if one.name == "planes")
        for kind in ("resources", "tables")
    }
    pipeline = whole.model_copy(update=rest)
    with plain_steps(threads=8) as steps:
        run_pipeline(pipeline, plain_ports(), lambda run: follow_path(run, steps))
