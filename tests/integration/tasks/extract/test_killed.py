"""`kill -9` at any moment of an extraction: the next one goes on, and ends with the same records.

ASSAY_KILLS=20 kills each dialect as often; by default once.
"""

import multiprocessing
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.tasks.extract.dialects.declarations import DECLARED
from tests.integration.tasks.extract.dialects.family import declare_family, projects
from tests.integration.tasks.extract.dialects.paging import PAGING
from tests.integration.tasks.extract.dialects.running import extract, make_records, read_ids
from tests.integration.tasks.extract.dialects.server import DialectServer

KILLS = int(os.environ.get("ASSAY_KILLS", "1"))
RECORDS = 4_000
DIALECTS = ("world_bank", "jira", "slack", "cosmos_db", "notion", "graphql", "stripe", "github")
"""By number, offset, cursor in the query, in a header, in a body, among variables, last record, link."""
PARENT, CHILD = declare_family("cursors")
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.integration.tasks.extract.test_killed"])


@pytest.fixture(scope="module")
def server() -> Iterator[DialectServer]:
    with DialectServer({**PAGING, "projects": projects}, make_records(RECORDS)) as started:
        started.delay_s = 0.005
        yield started


def extract_in_small_segments(url: str, dialect: str, folder: str) -> None:
    """Runs in a process of its own; a segment holds about three pages."""
    from tasks.extract.landing import zone  # noqa: PLC0415  (changed in this process only)

    zone.SEGMENT_BYTES = 9_000
    extract(url, DECLARED[dialect](), Path(folder))


def count_landed(folder: Path) -> int:
    """Pages in completed segments, as far as they follow one another."""
    pages = 0
    for segment in sorted(folder.glob("0*-*.parquet")):
        first, last = map(int, segment.stem.split("-"))
        if first != pages + 1:
            break
        pages = last
    return pages


@pytest.mark.parametrize("kill", range(KILLS))
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_extraction_killed_at_any_moment_is_resumed(
    server: DialectServer, tmp_path: Path, dialect: str, kill: int
) -> None:
    chance = random.Random(f"{dialect} {kill}")
    server.asked.clear()
    process = _CONTEXT.Process(
        target=extract_in_small_segments, args=(server.url, dialect, str(tmp_path)), daemon=True
    )
    process.start()
    asked_before = chance.randrange(1, 40)
    deadline = time.monotonic() + 20
    while len(server.asked) < asked_before and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(chance.random() * 0.03)
    process.kill()
    process.join()
    time.sleep(0.05)  # what it asked in its last moment is still on its way
    assert len(server.asked) >= asked_before
    landed = count_landed(tmp_path / "landing" / "items")
    server.asked.clear()
    resumed = extract(server.url, DECLARED[dialect](), tmp_path, attempt=2)
    assert read_ids(resumed) == [record["id"] for record in server.records]
    assert resumed.resumed_pages == landed
    assert len(server.asked) == resumed.pages - landed
    print(f"{dialect}: killed after {asked_before} requests, {landed} of {resumed.pages} pages landed")


@pytest.mark.parametrize("kill", range(KILLS))
def test_children_killed_at_any_moment_are_resumed(server: DialectServer, tmp_path: Path, kill: int) -> None:
    chance = random.Random(kill)
    whole = extract(server.url, CHILD, tmp_path / "whole", parent=extract(server.url, PARENT, tmp_path))
    landed = kill_children(server, tmp_path, after=chance.randrange(3, 100))
    parent = extract(server.url, PARENT, tmp_path, attempt=2)
    server.asked.clear()
    resumed = extract(server.url, CHILD, tmp_path, attempt=2, parent=parent)
    assert read_ids(resumed) == read_ids(whole)
    assert resumed.resumed_pages == landed
    assert len(server.asked) == resumed.pages - landed
    print(f"children: {landed} of {resumed.pages} pages landed")


def kill_children(server: DialectServer, folder: Path, *, after: int) -> int:
    """The pages that were landed when the process was killed, some requests later."""
    server.asked.clear()
    process = _CONTEXT.Process(target=extract_children, args=(server.url, str(folder)), daemon=True)
    process.start()
    deadline = time.monotonic() + 20
    while len(server.asked) < after and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.001)
    process.kill()
    process.join()
    time.sleep(0.05)
    return count_landed(folder / "landing" / "tasks")


def extract_children(url: str, folder: str) -> None:
    """Runs in a process of its own."""
    from tasks.extract.landing import zone  # noqa: PLC0415  (changed in this process only)

    zone.SEGMENT_BYTES = 900
    extract(url, CHILD, Path(folder), parent=extract(url, PARENT, Path(folder)))
