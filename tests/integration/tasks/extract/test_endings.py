"""Complete or failed: APIs that never end, repeat themselves, shift, promise and do not keep."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import ConfigurationError, FatalError, RetriableError
from tasks.extract.completeness import PageRepeatedError
from tasks.extract.pagination.protocol import PagesLoopError, PagesShiftedError
from tasks.pipeline import Cursor, LastRecord, NextLink, Offset, PageNumber, Resource, SinglePage
from tests.integration.tasks.extract.dialects.declarations import Item
from tests.integration.tasks.extract.dialects.paging import cut, read_int
from tests.integration.tasks.extract.dialects.running import extract, make_records, read_ids
from tests.integration.tasks.extract.dialects.server import Asked, Dialect, DialectServer, Record, Reply


@pytest.fixture(scope="module")
def started() -> Iterator[DialectServer]:
    with DialectServer({}, make_records(1_000)) as server:
        yield server


@pytest.fixture
def server(started: DialectServer) -> DialectServer:
    started.asked.clear()
    started.dialects.clear()
    return started


def declare(paginator: Any, **changes: Any) -> Resource:
    return Resource(name="items", path="/api", record=Item, paginator=paginator).model_copy(update=changes)


def serve(server: DialectServer, dialect: Dialect) -> str:
    server.dialects["api"] = dialect
    return server.url


def page_of(asked: Asked, records: Any, size: int = 10) -> list[Record]:
    return cut(records, (read_int(asked, "page", 1) - 1) * size, size)


def test_a_cursor_that_comes_back_is_a_loop(server: DialectServer, tmp_path: Path) -> None:
    def circle(asked: Asked, _records: Any) -> Reply:
        at = int(asked.query.get("cursor", "0"))
        found = [{"id": len(server.asked), "name": ""}]  # a new record each time
        return Reply({"data": found, "next": str((at + 1) % 5 or 5)})

    url = serve(server, circle)
    with pytest.raises(
        PagesLoopError, match=r"page 6 names the same next page as page 1 did, '1'.*Check the paginator"
    ):
        extract(url, declare(Cursor(next="next")), tmp_path)


def test_an_api_that_ignores_its_parameter_is_found_at_page_two(
    server: DialectServer, tmp_path: Path
) -> None:
    url = serve(server, lambda _asked, records: Reply({"data": cut(records, 0, 10)}))
    for name, paginator in {"page": PageNumber(), "offset": Offset(page_size=10)}.items():
        with pytest.raises(PageRepeatedError, match="pages 1 and 2 hold the same records"):
            extract(url, declare(paginator), tmp_path / name)


def test_an_api_that_promises_more_for_ever_is_stopped(server: DialectServer, tmp_path: Path) -> None:
    def endless(asked: Asked, _records: Any) -> Reply:
        at = int(asked.query.get("cursor", "0"))
        return Reply({"data": [{"id": at, "name": ""}], "next": str(at + 1)})

    with pytest.raises(FatalError, match=r"there is more after 50 pages; the next is http.*cursor=50"):
        extract(serve(server, endless), declare(Cursor(next="next"), max_pages=50), tmp_path)


def test_more_promised_without_a_next_page_fails(server: DialectServer, tmp_path: Path) -> None:
    url = serve(server, lambda _asked, records: Reply({"data": cut(records, 0, 10), "more": True}))
    with pytest.raises(FatalError, match="page 1 says that more follows, but names no next page"):
        extract(url, declare(Cursor(next="next", has_more="more")), tmp_path)


@pytest.mark.parametrize("key", ["nextCursor", "next-cursor", "next_cursr"])
def test_a_mistyped_cursor_is_no_end(server: DialectServer, tmp_path: Path, key: str) -> None:
    url = serve(server, lambda _asked, records: Reply({"data": cut(records, 0, 10), "meta": {key: "x"}}))
    with pytest.raises(ConfigurationError, match=rf"no 'meta.next_cursor'.*Did you mean 'meta.{key}'\?"):
        extract(url, declare(Cursor(next="meta.next_cursor")), tmp_path)


@pytest.mark.parametrize("paginator", [PageNumber(size_param=None), Offset(page_size=10, ask_ahead=False)])
def test_records_that_move_on_while_pages_are_read_are_seen_twice(
    server: DialectServer, tmp_path: Path, paginator: Any
) -> None:
    def grow(asked: Asked, records: Any) -> Reply:
        place = read_int(asked, "offset", 10 * (read_int(asked, "page", 1) - 1))
        newest = [{"id": -1, "name": "new"}] if place >= 30 else []
        return Reply({"data": cut([*newest, *records], place, 10)})

    url = serve(server, grow)
    with pytest.raises(PagesShiftedError, match=r'page 4 begins with a record that was on page 3.*"id": 94'):
        extract(url, declare(paginator), tmp_path)


def test_records_that_vanish_meanwhile_are_missed_in_the_total(server: DialectServer, tmp_path: Path) -> None:
    def shrink(asked: Asked, records: Any) -> Reply:
        left = records[1:] if read_int(asked, "page", 1) > 3 else records
        return Reply({"data": page_of(asked, left), "total": 1000})

    paginator = PageNumber(page_size=10, total_records="total")
    with pytest.raises(PagesShiftedError, match="announced 1000, received 999"):
        extract(serve(server, shrink), declare(paginator), tmp_path)


def test_an_api_that_caps_its_offset_pages_unevenly_loses_nothing(
    server: DialectServer, tmp_path: Path
) -> None:
    def uneven(asked: Asked, records: Any) -> Reply:
        offset = read_int(asked, "offset", 0)
        return Reply({"data": cut(records, offset, 7 + offset % 5)})

    found = extract(serve(server, uneven), declare(Offset(page_size=100)), tmp_path)
    assert read_ids(found) == [record["id"] for record in server.records]


def test_what_goes_wrong_past_the_end_does_not_count(server: DialectServer, tmp_path: Path) -> None:
    def fail_past_the_end(asked: Asked, records: Any) -> Reply:
        page = read_int(asked, "page", 1)
        return Reply({"data": page_of(asked, records)}) if page < 102 else Reply(b"oops", status=400)

    found = extract(serve(server, fail_past_the_end), declare(PageNumber(page_size=10)), tmp_path)
    assert found.received == 1_000


def test_an_api_that_never_answers_is_named_with_its_time(server: DialectServer, tmp_path: Path) -> None:
    server.delay_s = 0.4
    try:
        with pytest.raises(RetriableError, match=r"items page 1: .* did not answer http.* within 0.1 s"):
            extract(
                serve(server, lambda _asked, _records: Reply({})),
                declare(SinglePage()),
                tmp_path,
                timeout_s=0.1,
                attempts=2,
            )
    finally:
        server.delay_s = 0.0


def test_a_link_to_another_origin_is_refused(server: DialectServer, tmp_path: Path) -> None:
    elsewhere = "http://elsewhere.example.test/page2"
    url = serve(server, lambda _asked, records: Reply({"data": cut(records, 0, 10), "next": elsewhere}))
    with pytest.raises(FatalError, match=r"leads to another origin, http://elsewhere\.example\.test"):
        extract(url, declare(NextLink(next="next")), tmp_path)


def test_a_landed_cursor_that_the_api_has_forgotten_starts_afresh(
    server: DialectServer, tmp_path: Path
) -> None:
    def expire(asked: Asked, records: Any) -> Reply:
        at = asked.query.get("cursor", f"{len(server.asked)}:0")
        session, start = map(int, at.split(":"))
        if len(server.asked) > session + 5 or (session == 1 and start == 40):
            return Reply({"error": "the cursor has expired"}, status=400)
        following = f"{session}:{start + 10}" if start + 10 < 60 else None
        return Reply({"data": cut(records, start, 10), "next": following})

    url, resource = serve(server, expire), declare(Cursor(next="next"))
    with pytest.raises(FatalError, match="answered 400"):
        extract(url, resource, tmp_path)
    with pytest.raises(PagesShiftedError, match=r"(?s)400.*named by page 4, landed by an earlier attempt"):
        extract(url, resource, tmp_path, attempt=2)
    found = extract(url, resource, tmp_path, attempt=3)
    assert (found.resumed_pages, found.received) == (0, 60)


@pytest.mark.parametrize("status", [204, 400, 404])
def test_a_status_past_the_end_is_the_end_where_it_is_declared(
    server: DialectServer, tmp_path: Path, status: int
) -> None:
    def end(asked: Asked, records: Any) -> Reply:
        found = page_of(asked, records, 100)
        return Reply({"data": found}) if found else Reply(b"" if status == 204 else {}, status=status)

    url = serve(server, end)
    assert extract(url, declare(PageNumber(past_end=(status,))), tmp_path / "declared").received == 1_000
    if status != 204:
        with pytest.raises(
            (FatalError, ConfigurationError), match=r"(?s)page 11.*declare its status: past_end"
        ):
            extract(url, declare(PageNumber()), tmp_path / "not")


def test_a_last_record_with_the_id_zero_names_the_next_page(server: DialectServer, tmp_path: Path) -> None:
    def descend(asked: Asked, _records: Any) -> Reply:
        before = int(asked.query.get("before", "5"))
        return Reply({"data": [{"id": n, "name": ""} for n in range(before - 1, max(before - 6, -9), -1)]})

    found = extract(
        serve(server, descend), declare(Cursor(param="before", next=LastRecord(field="id"))), tmp_path
    )
    assert read_ids(found) == list(range(4, -9, -1))


@pytest.mark.parametrize("last", [{"id": None}, {}])
def test_a_last_record_that_cannot_name_the_next_page_is_no_end(
    server: DialectServer, tmp_path: Path, last: Record
) -> None:
    url = serve(server, lambda _asked, _records: Reply({"data": [{"id": 1, "name": ""}, last]}))
    with pytest.raises(FatalError, match="the last record of page 1 cannot name the next page"):
        extract(url, declare(Cursor(next=LastRecord(field="id"))), tmp_path)
