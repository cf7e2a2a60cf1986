"""Publishing a report: pages first, the overview last, and addresses back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tasks.errors import FatalError, RetriableError
from tasks.handover import LoadLine, LoadReport
from tasks.publish.reports import publish_report, render, render_pages
from tasks.publish.storage import FolderStore

MakeReport = Callable[..., LoadReport]


class Inline:
    """A helper that runs in this process, through JSON like the real one."""

    def call(self, function: str, /, **arguments: Any) -> Any:
        assert function == "tasks.publish.reports:render"
        return json.loads(json.dumps(render(**json.loads(json.dumps(arguments)))))


class Absent:
    """A helper that is not there."""

    def call(self, function: str, /, **_: Any) -> Any:
        raise FatalError(f"{function}: the helper did not start")


class Memory:
    """A store that keeps the order of what is put."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes, str]] = {}

    def put(self, path: str, body: bytes, content_type: str) -> None:
        self.files[path] = (body, content_type)

    def url(self, path: str) -> str:
        return f"https://reports.test/{path}"


def line_of(report: LoadReport) -> LoadLine:
    return LoadLine(
        pipeline=report.pipeline,
        load_id=report.load_id,
        attempt_no=report.attempt_no,
        status=report.status,
        started_at=report.started_at,
        ended_at=report.ended_at,
    )


def test_overview_is_put_last_and_every_link_is_a_file(make_report: MakeReport) -> None:
    report, store = make_report("blocked"), Memory()
    links = publish_report(report, [line_of(report)], store=store, helper=Inline())
    assert list(store.files)[-1] == "index.html"
    assert {content_type for _, content_type in store.files.values()} == {"text/html; charset=utf-8"}
    assert set(links) == {"index", "load", "weather", "flights"}
    assert {url.removeprefix("https://reports.test/") for url in links.values()} == set(store.files)


def test_links_between_pages_lead_to_files(
    make_report: MakeReport, tmp_path: Path, read_page: Callable[[str], Any]
) -> None:
    report = make_report("blocked")
    publish_report(report, [line_of(report)], store=FolderStore(tmp_path), helper=Inline())
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) == 4
    for page in pages:
        for link in read_page(page.read_text(encoding="utf-8")).links():
            if not link.startswith(("data:", "http")):
                assert (page.parent / link.split("#")[0]).resolve() in pages


def test_failed_load_is_reported_without_a_helper(make_report: MakeReport) -> None:
    report, store = make_report("failed"), Memory()
    publish_report(report, [line_of(report)], store=store, helper=Absent())
    assert len(store.files) == 2


def test_render_takes_and_returns_json(make_report: MakeReport) -> None:
    report = make_report("blocked")
    lines = [line_of(report)]
    rendered = render(report=msgspec.json.encode(report).decode(), lines=msgspec.json.encode(lines).decode())
    assert rendered == render_pages(report, lines)


def test_error_of_the_store_goes_up(make_report: MakeReport) -> None:
    class Down(Memory):
        def put(self, path: str, body: bytes, content_type: str) -> None:
            raise RetriableError(f"{path}: down, {len(body)} {content_type}")

    with pytest.raises(RetriableError, match="down"):
        publish_report(make_report("failed"), [], store=Down(), helper=Inline())
