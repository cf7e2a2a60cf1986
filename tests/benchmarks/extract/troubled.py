"""What a user sees of APIs in trouble: `python -m tests.benchmarks.extract.troubled`.

In the middle of a year of flights a column changes its type, at the API's record 300,001: whole runs of
`assay run` into a database of their own, with a hash of all tables before and after. Then, of single
resources: pages in a circle, pages without end, no answer, records that shift, a page of 50 MB.
"""

import dataclasses
import json
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from deployments.local.api.server import DemoApi
from deployments.local.api.snapshot import Snapshot
from tasks.errors import PipelineError
from tasks.load.embedded import start_postgres
from tasks.pipeline import Cursor, PageNumber, Resource, SinglePage
from tests.acceptance.conftest import PIPELINE, World
from tests.acceptance.source import hash_tables
from tests.integration.tasks.extract.serving import Handler, Item, extract, serving

CHANGED_AFTER = 300_000
ATTEMPTS = "SELECT status FROM assay.attempts ORDER BY started_at DESC LIMIT 1"
BLOCKING = """
SELECT expectation, unexpected_count FROM assay.validations WHERE blocks
AND (load_id, attempt_no) = (SELECT load_id, attempt_no FROM assay.attempts ORDER BY started_at DESC LIMIT 1)
"""
QUARANTINED = "SELECT count(*) FROM assay.quarantine WHERE table_name = 'flights'"
FLIGHTS = "SELECT count(*) FROM flights"


class Trouble(NamedTuple):
    """A server's habit, and the resource and source that are declared for it."""

    respond: Callable[[Handler, int], None]
    paginator: Any
    source: dict[str, Any]
    resource: dict[str, Any]


def main() -> None:
    """Print what each of them looks like."""
    logging.disable()
    with tempfile.TemporaryDirectory(prefix="assay-troubled-") as folder:
        change_type(Path(folder))
        for name, trouble in TROUBLES.items():
            see(name, trouble, Path(folder) / name)


def change_type(folder: Path) -> None:
    """A good load, one in which `distance` becomes text, and one after the API was mended."""
    with DemoApi(clock="2013-01-10T00:00:00Z") as api:
        world = World(start_postgres(folder / "database"), folder / "home", api)
        run("nine days of flights", world)
        before = hash_tables(world.dsn)
        good = api.state.world.snapshots
        changed = turn_to_text(good["flights"], "distance", CHANGED_AFTER)
        api.state.world = dataclasses.replace(
            api.state.world, snapshots={**good, "flights": changed}, clock_us=None
        )
        run(f"all of 2013, distance is text from record {CHANGED_AFTER + 1:,} on", world)
        print(f"the same tables as before: {hash_tables(world.dsn) == before}\n")
        api.state.reset()
        api.state.set_clock(None)
        run("the API is mended", world)


def turn_to_text(snapshot: Snapshot, field: str, after: int) -> Snapshot:
    """The same records, but that in those behind the first `after` a field is text."""
    records = list(snapshot.records)
    for record_id in snapshot.ids[after:]:
        record = msgspec.json.decode(records[record_id - 1])
        records[record_id - 1] = msgspec.json.encode({**record, field: str(record[field])})
    return dataclasses.replace(snapshot, records=tuple(records))


def run(title: str, world: World) -> None:
    """`assay run`, and what is in the database then."""
    began = time.perf_counter()
    done = world.assay("run", PIPELINE, "--no-prefect", "-q")
    print(f"## {title}: exit {done.returncode}, {time.perf_counter() - began:.1f} s")
    print((done.stdout + done.stderr).strip())
    flights, quarantined = world.query(FLIGHTS)[0][0], world.query(QUARANTINED)[0][0]
    print(f"attempt: {world.query(ATTEMPTS)[0][0]}; blocking: {world.query(BLOCKING)}")
    print(f"{flights:,} flights published, {quarantined:,} in assay.quarantine\n", flush=True)


def see(name: str, trouble: Trouble, folder: Path) -> None:
    """Extract from the server, and print what comes of it."""
    resource = Resource(
        name="items", path="/items", record=Item, paginator=trouble.paginator, **trouble.resource
    )
    began = time.perf_counter()
    with serving(trouble.respond) as (url, seen):
        try:
            found = extract(url, folder, resource, **trouble.source)
            told = f"{found.received:,} records, {found.bytes / 1e6:.1f} MB"
        except PipelineError as exc:
            told = f"{type(exc).__name__}: {exc}"
        print(f"## {name}: {len(seen):,} requests, {time.perf_counter() - began:.1f} s\n{told}\n", flush=True)


def lead_in_a_circle(handler: Handler, asked: int) -> None:
    """New records on each page, and the fifth page leads back to the first."""
    following = (int(handler.query.get("cursor", "0")) + 1) % 5 or 5
    handler.send_json({"data": [{"id": asked}], "next": str(following)})


def promise_for_ever(handler: Handler, asked: int) -> None:
    """New records on each page, and always another page."""
    handler.send_json({"data": [{"id": asked}], "next": str(asked)})


def say_nothing(handler: Handler, _asked: int) -> None:
    """Keep the connection, send nothing."""
    handler.close_connection = True
    time.sleep(3)


def shift(handler: Handler, _asked: int) -> None:
    """A record is added at the front while the fourth page is fetched."""
    page = int(handler.query.get("page", "1"))
    ids = [*([-1] if page > 3 else []), *range(100)][10 * (page - 1) : 10 * page]
    handler.send_json({"data": [{"id": each} for each in ids]})


def send_50_mb(handler: Handler, _asked: int) -> None:
    """500 records of 100 KB on one page."""
    filler = "x" * 100_000
    handler.send(json.dumps({"data": [{"id": each, "filler": filler} for each in range(500)]}).encode())


TROUBLES = {
    "pages in a circle": Trouble(lead_in_a_circle, Cursor(next="next"), {}, {}),
    "pages without end": Trouble(promise_for_ever, Cursor(next="next"), {}, {"max_pages": 2_000}),
    "no answer": Trouble(say_nothing, SinglePage(), {"timeout_s": 1, "attempts": 2}, {}),
    "records that shift": Trouble(shift, PageNumber(size_param=None), {"connections": 1}, {}),
    "a page of 50 MB": Trouble(send_50_mb, SinglePage(), {}, {"columns": "discard"}),
}

if __name__ == "__main__":
    main()
