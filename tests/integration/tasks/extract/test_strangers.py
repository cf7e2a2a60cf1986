"""Servers of other names and odd habits, and what they must not be believed."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tasks.errors import FatalError, PipelineError
from tasks.extract.pagination.protocol import PagesShiftedError
from tasks.pipeline import BodyError, Cursor, LinkHeader, PageNumber, Resource
from tasks.pipeline.paging import Paginator
from tests.integration.tasks.extract.dialects.declarations import Item
from tests.integration.tasks.extract.dialects.running import extract
from tests.integration.tasks.extract.dialects.server import Asked, DialectServer, Record, Reply
from tests.integration.tasks.extract.dialects.strangers import ROWS, STRANGERS
from tests.integration.tasks.extract.serving import Handler, serving


def read_rows(folder: str) -> list[Record]:
    return pl.read_parquet(Path(folder) / "*.parquet").to_dicts()


@pytest.mark.parametrize("name", STRANGERS)
def test_all_records_of_a_stranger_arrive(name: str, tmp_path: Path) -> None:
    stranger = STRANGERS[name]
    with DialectServer({name: stranger.answer}, []) as server:
        extracted = extract(server.url, stranger.resource, tmp_path, attempts=1)
        requests = len(server.asked)
        again = extract("http://127.0.0.1:1", stranger.resource, tmp_path, attempt=2)
    assert read_rows(extracted.frames) == ROWS[: stranger.records]
    assert read_rows(again.frames) == read_rows(extracted.frames)
    assert requests <= 1.7 * max(extracted.pages, 1)


def _ask(
    answer: Callable[[Asked], Reply], paginator: Paginator, folder: Path, error: BodyError | None = None
) -> None:
    resource = Resource(
        name="items", path="/odd", record=Item, records="rows", paginator=paginator, max_empty_pages=50
    )
    with DialectServer({"odd": lambda asked, _: answer(asked)}, []) as server:
        extract(server.url, resource, folder, attempts=1, error=error)


@pytest.mark.parametrize(
    ("payload", "paginator", "said"),
    [
        ({"rows": None}, PageNumber(), r"`\$.rows` is not a list but null.* may_be_absent=True"),
        ({"rows": None, "error": "down"}, PageNumber(total_pages="pages"), "is not a list but null"),
        (
            {"rows": [], "n": 1},
            PageNumber(total_records="count"),
            "does not say what total_records is: .*'count'",
        ),
        (
            {"rows": [], "more": True},
            PageNumber(has_more="more"),
            "50 pages one after another hold no record",
        ),
    ],
)
def test_what_may_be_a_failure_is_no_end(
    payload: object, paginator: Paginator, said: str, tmp_path: Path
) -> None:
    with pytest.raises(PipelineError, match=said):
        _ask(lambda _: Reply(payload), paginator, tmp_path)


@pytest.mark.parametrize("status", [200, 204])
def test_an_empty_page_among_those_announced_is_no_page(status: int, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.query["page"] == "2":
            return Reply({"rows": []} if status == 200 else b"", status=status)
        return Reply({"rows": [{"id": int(asked.query["page"]), "name": ""}], "pages": 3})

    with pytest.raises(
        PagesShiftedError, match=r"page 2 .* holds no record and does not repeat .*total_pages 3"
    ):
        _ask(answer, PageNumber(total_pages="pages"), tmp_path)


def test_null_is_no_record_where_errors_are_known(tmp_path: Path) -> None:
    _ask(lambda _: Reply({"rows": None}), PageNumber(), tmp_path, error=BodyError(path="error"))


def test_a_cursor_that_stays_beside_records_is_a_circle(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=r"leads in a circle|hold the same records"):
        _ask(lambda _: Reply({"rows": ROWS, "tok": "a"}), Cursor(next="tok"), tmp_path)


def test_a_link_header_that_cannot_be_read_is_no_end(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="the Link header cannot be read at '/items"):
        _ask(lambda _: Reply({"rows": ROWS}, {"Link": '/items?page=2; rel="next"'}), LinkHeader(), tmp_path)


def test_a_compression_that_was_not_asked_for_is_named(tmp_path: Path) -> None:
    def respond(handler: Handler, _asked: int) -> None:
        handler.send(b"\x8b\x00\x80", Content_Encoding="br")

    resource = Resource(name="items", path="/odd", record=Item)
    with (
        serving(respond) as (url, seen),
        pytest.raises(FatalError, match="compressed by 'br', which was not"),
    ):
        extract(url, resource, tmp_path)
    assert len(seen) == 1
