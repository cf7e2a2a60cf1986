"""Children are asked for once a parent, several parents at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasks.errors import ConfigurationError, FatalError
from tasks.extract.pagination.protocol import PagesShiftedError
from tasks.handover import Extracted
from tasks.pipeline import Parent, Resource
from tests.integration.tasks.extract.dialects.family import (
    GONE,
    PAGINATORS,
    PROJECTS,
    declare_family,
    list_tasks,
    projects,
)
from tests.integration.tasks.extract.dialects.running import extract
from tests.integration.tasks.extract.dialects.server import Asked, DialectServer, Reply

PARENT = declare_family("pages")[0]


def declare(paging: str, **changes: Any) -> Resource:
    return declare_family(paging)[1].model_copy(update=changes)


@pytest.fixture(scope="module")
def server() -> Iterator[DialectServer]:
    with DialectServer({"projects": projects}, []) as started:
        yield started


@pytest.fixture
def parent(server: DialectServer, tmp_path: Path) -> Extracted:
    return extract(server.url, PARENT, tmp_path)


def read(extracted: Extracted) -> pl.DataFrame:
    return pl.read_parquet(Path(extracted.frames) / "*.parquet")


@pytest.mark.parametrize("paging", PAGINATORS)
def test_each_parents_children_come_whole_with_what_they_carry(
    server: DialectServer, parent: Extracted, tmp_path: Path, paging: str
) -> None:
    found = read(extract(server.url, declare(paging), tmp_path, parent=parent))
    for project in range(PROJECTS):
        own = found.filter(pl.col("project") == f"p/{project} ü")
        wanted = [] if project == GONE else list_tasks(project)
        assert own["id"].to_list() == [task["id"] for task in wanted]
        assert set(own["owner"]) <= {f"o{project}"}
    assert found.height == sum(len(list_tasks(p)) for p in range(PROJECTS) if p != GONE)


@pytest.mark.parametrize("paging", PAGINATORS)
def test_the_order_does_not_depend_on_connections(
    server: DialectServer, parent: Extracted, tmp_path: Path, paging: str
) -> None:
    one = extract(server.url, declare(paging), tmp_path / "1", parent=parent, connections=1)
    many = extract(server.url, declare(paging), tmp_path / "8", parent=parent, connections=8)
    assert read(one).equals(read(many))


@pytest.mark.parametrize("paging", PAGINATORS)
def test_an_interrupted_child_goes_on_after_what_is_landed(
    server: DialectServer,
    parent: Extracted,
    tmp_path: Path,
    paging: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = extract(server.url, declare(paging), tmp_path / "whole", parent=parent)

    def break_down(asked: Asked, records: Any) -> Reply:
        return Reply(b"", status=400) if len(server.asked) > 60 else projects(asked, records)

    server.asked.clear()
    monkeypatch.setitem(server.dialects, "projects", break_down)
    with pytest.raises(FatalError, match="answered 400"):
        extract(server.url, declare(paging), tmp_path / "broken", parent=parent)
    monkeypatch.setitem(server.dialects, "projects", projects)
    server.asked.clear()
    resumed = extract(server.url, declare(paging), tmp_path / "broken", attempt=2, parent=parent)
    assert resumed.resumed_pages > 40
    assert len(server.asked) == resumed.pages - resumed.resumed_pages
    assert read(resumed).equals(read(whole))


def test_a_missing_child_fails_unless_it_is_declared(
    server: DialectServer, parent: Extracted, tmp_path: Path
) -> None:
    strict = declare("pages", parent=Parent(resource="projects", carry={"project": "slug", "owner": "slug"}))
    with pytest.raises(
        ConfigurationError, match=r"(?s)p%2F13%20%C3%BC/pages.* answered 404.*on_missing="
    ) as e:
        extract(server.url, strict, tmp_path / "strict", parent=parent)
    assert "past_end" not in str(e.value)


def test_a_refused_child_is_not_taken_for_a_page_past_the_end(
    server: DialectServer, parent: Extracted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(asked: Asked, records: Any) -> Reply:
        return Reply(b"", status=401) if "p%2F5%20" in asked.path else projects(asked, records)

    monkeypatch.setitem(server.dialects, "projects", refuse)
    with pytest.raises(ConfigurationError, match="answered 401") as e:
        extract(server.url, declare("pages"), tmp_path, parent=parent, connections=1)
    assert "past_end" not in str(e.value)


def test_children_without_parents_are_none(server: DialectServer, tmp_path: Path) -> None:
    server.dialects["nobody"] = lambda _asked, _records: Reply({"data": []})
    nobody = PARENT.model_copy(update={"path": "/nobody"})
    parent = extract(server.url, nobody, tmp_path)
    found = extract(server.url, declare("pages"), tmp_path, parent=parent)
    assert (found.received, found.pages) == (0, 0)
    again = extract(server.url, declare("pages"), tmp_path, attempt=2, parent=parent)
    assert (again.received, again.pages) == (0, 0)


def test_what_is_carried_is_learned_with_the_rest(
    server: DialectServer, parent: Extracted, tmp_path: Path
) -> None:
    found = read(extract(server.url, declare("cursors", record=None), tmp_path, parent=parent))
    wanted = read(extract(server.url, declare("cursors"), tmp_path / "declared", parent=parent))
    assert found.select(sorted(found.columns)).equals(wanted.select(sorted(wanted.columns)))


def test_what_is_landed_for_other_parents_is_not_mixed_in(
    server: DialectServer, parent: Extracted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(asked: Asked, records: Any) -> Reply:
        return Reply(b"", status=400) if len(server.asked) > 60 else projects(asked, records)

    server.asked.clear()
    monkeypatch.setitem(server.dialects, "projects", break_down)
    with pytest.raises(FatalError, match="answered 400"):
        extract(server.url, declare("pages"), tmp_path, parent=parent)
    monkeypatch.setitem(server.dialects, "projects", projects)
    (part,) = Path(parent.frames).glob("*.parquet")
    pl.read_parquet(part).reverse().write_parquet(part)
    with pytest.raises(PagesShiftedError, match="what is landed was asked for other parents: page 1 is http"):
        extract(server.url, declare("pages"), tmp_path, attempt=2, parent=parent)
    assert extract(server.url, declare("pages"), tmp_path, attempt=3, parent=parent).resumed_pages == 0
