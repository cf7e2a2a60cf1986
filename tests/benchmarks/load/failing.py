"""How long a streamed run goes on after something fails while its COPY is open.

    python -m tests.benchmarks.load.failing [ROUNDS]

An API sends wide records, so that COPY takes a while, and holds the next page back for 20 s: what fails
is not to wait for it. Each failure is made to happen while Postgres reports an open COPY of this run.
"""

import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest import mock

import polars as pl
import psycopg
from msgspec import Struct

from flows.path import follow_path, plain_steps
from flows.run import run_pipeline
from flows.wiring import plain_ports
from tasks.errors import PipelineError
from tasks.load.embedded import start_postgres
from tasks.pipeline import Cursor, Frames, Pipeline, Resource, RestApi, Table
from tests.integration.tasks.extract.serving import Handler, serving

PAGE, BREAKS_AT = 5_000, 11
"""The last page of the third batch."""
HELD_S = 20
COPYING = "SELECT FROM pg_stat_progress_copy WHERE command = 'COPY FROM'"
WIDE = "some text that takes a while to copy " * 60


class Order(Struct, frozen=True):
    """A record, and a row but for what spoils it."""

    id: int
    text: str


class World:
    """The API and the transform, one of which fails, and when it did."""

    def __init__(self, dsn: str, failure: str) -> None:
        self.dsn = dsn
        self.failure = failure
        self.failed_at = 0.0
        self.is_over = threading.Event()

    def respond(self, handler: Handler, _: int) -> None:
        """A page; the one after the failure comes when nobody wants it any more."""
        number = int(handler.query.get("cursor", "0"))
        if number > BREAKS_AT:
            self.is_over.wait(HELD_S)
        rows: list[dict[str, object]] = [
            {"id": n, "text": WIDE} for n in range(number * PAGE, (number + 1) * PAGE)
        ]
        body, status = {"data": rows, "next": str(number + 1)}, 200
        if number == BREAKS_AT and self.failure == "fetch":
            body, status = {"data": [], "next": ""}, 403
        if number == BREAKS_AT and self.failure == "decode":
            rows[0]["new"] = "of a resource that is declared freeze"
        sent = json.dumps(body).encode()
        if number == BREAKS_AT and self.failure in {"fetch", "decode"}:
            self._fail_during_copy()
        handler.send(sent, status)

    def transform(self, frames: Frames) -> Frames:
        """What spoils a row: a time that CSV has a form for and Postgres has not, or a text."""
        orders = frames["orders"].with_columns(at=pl.lit(0).cast(pl.Time))
        if int(orders.select(pl.col("id").max()).collect().item()) < BREAKS_AT * PAGE:
            return {"orders": orders}
        match self.failure:
            case "transform":
                self._fail_during_copy()
                return {"orders": orders.with_columns(pl.col("text").cast(pl.Int64))}
            case "CSV":
                orders = orders.with_columns(at=pl.lit(1).cast(pl.Time))
                self._fail_during_copy()
            case "Postgres":
                orders = orders.with_columns(text=pl.lit("a\0b"))
                self.failed_at = time.perf_counter()
        return {"orders": orders}

    def _fail_during_copy(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            deadline = time.monotonic() + 10
            while not conn.execute(COPYING).fetchall():
                if time.monotonic() > deadline:
                    sys.exit(f"{self.failure}: no COPY was open")
        self.failed_at = time.perf_counter()


def fail_once(dsn: str, failure: str) -> tuple[float, float, str]:
    """Seconds from the failure to the end of the steps, and of the whole run, which tells of it."""
    world = World(dsn, failure)
    steps_ended_at = 0.0

    def follow(opened: object, steps: object, path: Callable[..., object] = follow_path) -> object:
        nonlocal steps_ended_at
        try:
            return path(opened, steps)
        finally:
            steps_ended_at = time.perf_counter()

    with serving(world.respond) as (url, _), plain_steps(threads=8) as steps:
        try:
            run_pipeline(_declare(url, world), plain_ports(), partial(follow, steps=steps))  # type: ignore[arg-type]
        except PipelineError as exc:
            ended_at, message = time.perf_counter(), str(exc)
        else:
            sys.exit(f"{failure}: the run did not fail")
        finally:
            world.is_over.set()
    return steps_ended_at - world.failed_at, ended_at - world.failed_at, message


def _declare(url: str, world: World) -> Pipeline:
    orders = Resource(name="orders", path="/", record=Order, paginator=Cursor(next="next"), columns="freeze")
    return Pipeline(
        name="shop",
        source=RestApi(base_url=url),
        resources=(orders,),
        transform=world.transform,
        streamable=True,
        tables=(Table(name="orders", primary_key=("id",)),),
    )


def main() -> None:
    """Each failure so many times."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory(prefix="assay-failing-") as folder:
        dsn = start_postgres(Path(folder))
        os.environ |= {"ASSAY_HOME": folder, "ASSAY_DATABASE_URL": dsn}
        for failure in ("fetch", "decode", "transform", "CSV", "Postgres"):
            with mock.patch("tasks.helper._Child", side_effect=OSError("not wanted here")):
                found = [fail_once(dsn, failure) for _ in range(rounds)]
            steps, runs = [each[0] for each in found], [each[1] for each in found]
            print(
                f"{failure:<10} steps end after {statistics.median(steps):.2f} s (longest {max(steps):.2f}), "
                f"the run after {statistics.median(runs):.2f} s: {found[0][2].splitlines()[0][:110]}",
                flush=True,
            )


if __name__ == "__main__":
    main()
