"""A network that goes dead under a run, without a word: when the run ends, and when the next one can go.

    ASSAY_TEST_DSN=postgresql://… python -m tests.benchmarks.load.cutting cut|stuck copy|publish|commit […]

The cable dies for good in the middle of COPY, before the tables are compared, or at COMMIT; the next run has
another one. A server on TCP, since a Unix socket cannot die. With the DSN's defaults a trial takes minutes
of waiting; what else a DSN may say, as `tcp_user_timeout=5000`, can follow.
"""

import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from unittest import mock

import psycopg
from msgspec import Struct
from psycopg.conninfo import make_conninfo

import expectations.engine  # noqa: F401  knows how to import Great Expectations
from flows.path import follow_path, plain_steps
from flows.run import run_pipeline
from flows.wiring import plain_ports
from tasks.errors import PipelineError
from tasks.load.connection import fetch_int, open_connection
from tasks.pipeline import Cursor, Pipeline, Resource, RestApi, Table
from tests.integration.tasks.extract.serving import Handler, serving
from tests.integration.tasks.load.cable import Death, lay_cable

PAGE, PAGES = 5_000, 8
WIDE = "some text that takes a while to copy " * 30
CLAIM = b"INSERT INTO assay.publications"
WORDS = {
    "copy": ((b"COPY ",), 10_000_000),
    "publish": ((CLAIM, b"'work_mem'"), 0),
    "commit": ((CLAIM, b"COMMIT\x00"), 0),
}
PATIENCE_S = 1500


class Order(Struct, frozen=True):
    """A record, and a row."""

    id: int
    text: str


def respond(handler: Handler, _: int, version: str) -> None:
    """A page of the API."""
    number = int(handler.query.get("cursor", "0"))
    rows = [{"id": n, "text": version + WIDE} for n in range(number * PAGE, (number + 1) * PAGE)]
    handler.send_json({"data": rows, "next": str(number + 1) if number + 1 < PAGES else ""})


def run(dsn: str, version: str, suite: Path) -> str:
    """A whole run; how it ended, in words."""
    os.environ["ASSAY_DATABASE_URL"] = dsn
    with serving(lambda handler, seen: respond(handler, seen, version)) as (url, _):
        orders = Resource(name="orders", path="/", record=Order, paginator=Cursor(next="next"))
        pipeline = Pipeline(
            name="shop",
            source=RestApi(base_url=url),
            resources=(orders,),
            transform=lambda frames: frames,
            tables=(Table(name="orders", primary_key=("id",), suite=str(suite)),),
        )
        with plain_steps(threads=8) as steps:
            try:
                report = run_pipeline(pipeline, plain_ports(), lambda opened: follow_path(opened, steps))
            except PipelineError as exc:
                return f"{type(exc).__name__}: {exc}"
    return report.status


def count(dsn: str, version: str) -> int:
    """Rows of a version."""
    with open_connection(dsn) as conn:
        query = "SELECT count(*) FROM orders WHERE text = %s"
        return fetch_int(conn, query, version + WIDE)


def main() -> None:
    """One trial."""
    death, moment, *more = sys.argv[1:]
    name = f"cut_{death}_{moment}_{os.getpid()}"
    server = os.environ["ASSAY_TEST_DSN"]
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}".encode())
    dsn = make_conninfo(server, dbname=name)
    started = time.monotonic()

    def tell(what: str) -> None:
        print(f"{death} {moment} {time.monotonic() - started:6.1f} s  {what}", flush=True)

    with (
        tempfile.TemporaryDirectory(prefix="assay-cutting-") as folder,
        mock.patch("tasks.helper._Child", side_effect=OSError("not wanted here")),
        lay_cable(
            make_conninfo(dsn, **dict(each.split("=", 1) for each in more)),
            Death[death.upper()],
            *WORDS[moment],
        ) as cable,
    ):
        os.environ["ASSAY_HOME"] = folder
        suite = Path(folder, "orders")
        suite.with_suffix(".json").write_text('{"name": "orders", "expectations": []}', encoding="utf-8")
        tell(run(dsn, "a ", suite))
        ended: list[str] = []
        running = threading.Thread(target=lambda: ended.append(run(cable.dsn, "b ", suite)), daemon=True)
        running.start()
        assert cable.is_dead.wait(60)
        started = time.monotonic()
        tell("the cable is dead")
        running.join(PATIENCE_S)
        tell(ended[0] if ended else "the run still waits: given up")
        if not ended:
            os._exit(1)
        tell(f"rows old {count(dsn, 'a '):,}, new {count(dsn, 'b '):,}")
        while (how := run(dsn, "b ", suite)) not in {"published", "no new rows"}:
            tell(f"the next run: {how}")
            time.sleep(10)
        tell(f"the next run: {how}; rows old {count(dsn, 'a '):,}, new {count(dsn, 'b '):,}")


if __name__ == "__main__":
    main()
