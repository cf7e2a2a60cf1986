"""Increments against a server that keeps rows: nothing is missed, whatever its bounds and its records are."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from tasks.handover import Extracted
from tasks.pipeline import (
    EpochMilliseconds,
    Incremental,
    NextLink,
    PageNumber,
    Resource,
    SinglePage,
    SyncToken,
)
from tests.integration.tasks.extract.serving import Handler, extract, read_ids, serving

UTC = dt.UTC
EARLIEST, LATEST = dt.datetime.min.replace(tzinfo=UTC), dt.datetime.max.replace(tzinfo=UTC)
BEGIN = dt.datetime(2024, 1, 1, tzinfo=UTC)


class Row(Struct):
    id: int
    at: dt.datetime


class Millis(Struct):
    id: int
    at: EpochMilliseconds


class Counted(Struct):
    id: int


class Rows:
    """Rows by id with the time of their last change, as an API with `since` (and `until`) serves them."""

    def __init__(self, *, is_exclusive: bool = False, form: str = "iso") -> None:
        self.rows: dict[int, dt.datetime] = {}
        self.asked: list[dict[str, str]] = []
        self._is_exclusive = is_exclusive
        self._form = form

    def respond(self, handler: Handler, _asked: int) -> None:
        self.asked.append(handler.query)
        since, until = (
            self._read(handler, "since", EARLIEST),
            self._read(handler, "until", LATEST),
        )
        found = [
            {"id": number, "at": self._show(at)}
            for number, at in self.rows.items()
            if (since < at if self._is_exclusive else since <= at) and at <= until
        ]
        handler.send_json({"data": found})

    def _read(self, handler: Handler, name: str, default: dt.datetime) -> dt.datetime:
        text = handler.query.get(name)
        if text is None:
            return default
        if self._form == "epoch_ms":
            return dt.datetime.fromtimestamp(int(text) / 1000, UTC)
        return dt.datetime.fromisoformat(text)

    def _show(self, at: dt.datetime) -> str | int:
        return int(at.timestamp() * 1000) if self._form == "epoch_ms" else at.isoformat()


class Follower:
    """Loads again and again, each time from the cursor that the last load left."""

    def __init__(self, url: str, folder: Path, resource: Resource) -> None:
        self.cursor: str | None = None
        self._url, self._folder, self._resource = url, folder, resource
        self._loads = 0

    def load(self) -> list[int]:
        self._loads += 1
        extracted: Extracted = extract(
            self._url, self._folder / str(self._loads), self._resource, cursor=self.cursor
        )
        self.cursor = extracted.greatest_cursor or self.cursor
        return sorted(read_ids(extracted))


def declare(record: type[Struct] = Row, **incremental: Any) -> Resource:
    return Resource(
        name="rows",
        path="/rows",
        record=record,
        paginator=SinglePage(),
        incremental=Incremental(**({"field": "at", "param": "since"} | incremental)),
    )


def test_a_record_dated_9999_and_one_far_in_the_past_hide_nothing(tmp_path: Path) -> None:
    api = Rows()
    api.rows = {
        1: BEGIN,
        2: dt.datetime(9999, 12, 30, tzinfo=UTC),
        3: dt.datetime(1, 1, 2, tzinfo=UTC),
        4: BEGIN + dt.timedelta(hours=1),
    }
    with serving(api.respond) as (url, _):
        follower = Follower(url, tmp_path, declare(lag=dt.timedelta(minutes=10)))
        assert follower.load() == [1, 2, 3, 4]
        assert follower.cursor == "2024-01-01T01:00:00Z"
        api.rows[5] = BEGIN + dt.timedelta(hours=2)
        api.rows[6] = BEGIN + dt.timedelta(minutes=55)  # late, within the lag
        assert follower.load() == [2, 4, 5, 6]
        assert follower.cursor == "2024-01-01T02:00:00Z"
        assert follower.load() == [2, 5]
    assert [query.get("since") for query in api.asked] == [
        None,
        "2024-01-01T00:50:00Z",
        "2024-01-01T01:50:00Z",
    ]


@pytest.mark.parametrize("is_exclusive", [False, True])
@pytest.mark.parametrize(("form", "record"), [("iso", Row), ("epoch_ms", Millis)])
def test_rows_that_share_the_moment_of_the_cursor_are_not_missed(
    tmp_path: Path, form: str, record: type[Struct], is_exclusive: bool
) -> None:
    api = Rows(is_exclusive=is_exclusive, form=form)
    api.rows = {1: BEGIN, 2: BEGIN}
    bound = "exclusive" if is_exclusive else "inclusive"
    with serving(api.respond) as (url, _):
        follower = Follower(url, tmp_path, declare(record, bound=bound, format=form))
        assert follower.load() == [1, 2]
        api.rows[3] = BEGIN
        assert follower.load() == [1, 2, 3]


def test_numbers_are_cursors_and_begin_where_declared(tmp_path: Path) -> None:
    asked = []

    def respond(handler: Handler, _asked: int) -> None:
        after = int(handler.query["after"])
        asked.append(after)
        handler.send_json(
            {"data": [{"id": number} for number in range(1, len(asked) * 5 + 1) if number > after]}
        )

    resource = declare(Counted, field="id", param="after", first=0, bound="exclusive", lag=1)
    with serving(respond) as (url, _):
        follower = Follower(url, tmp_path, resource)
        assert [follower.load() for _ in range(3)] == [
            [1, 2, 3, 4, 5],
            [4, 5, 6, 7, 8, 9, 10],
            [9, 10, 11, 12, 13, 14, 15],
        ]
    assert asked == [-1, 3, 8]


def test_windows_bring_all_rows_each_page_by_page_and_survive_an_interruption(tmp_path: Path) -> None:
    now = dt.datetime.now(UTC)
    begin = now - dt.timedelta(days=10)
    moments = [begin + dt.timedelta(hours=5 * number) for number in range(48)]
    broken = {"left": 1}

    def respond(handler: Handler, _asked: int) -> None:
        since, until = (dt.datetime.fromisoformat(handler.query[name]) for name in ("from", "to"))
        found = [{"id": n, "at": at.isoformat()} for n, at in enumerate(moments) if since <= at <= until]
        page = int(handler.query["page"])
        if page == 2 and since > begin + dt.timedelta(days=5) and broken["left"]:
            broken["left"] -= 1
            handler.send(b"", 500)
            return
        handler.send_json({"data": found[4 * (page - 1) : 4 * page], "pages": -(-len(found) // 4)})

    resource = Resource(
        name="rows",
        path="/rows",
        record=Row,
        paginator=PageNumber(page_size=4, total_pages="pages"),
        incremental=Incremental(
            field="at", param="from", until_param="to", first=begin, window=dt.timedelta(days=3)
        ),
    )
    with serving(respond) as (url, seen):
        with pytest.raises(Exception, match="answered 500"):
            extract(url, tmp_path, resource, attempts=1)
        asked_before = len(seen)
        extracted = extract(url, tmp_path, resource, attempt=2)
        assert 0 < extracted.resumed_pages < asked_before
        assert len(seen) - asked_before == extracted.pages - extracted.resumed_pages
    assert sorted(set(read_ids(extracted))) == list(range(48))
    assert len(read_ids(extracted)) <= 48 + 3  # at most the rows at the three common bounds come twice


def test_windows_of_a_page_each_are_asked_for_at_once_and_may_hold_the_same(tmp_path: Path) -> None:
    api = Rows()
    begin = dt.datetime.now(UTC) - dt.timedelta(days=2)
    api.rows = {1: begin + dt.timedelta(days=1)}
    resource = declare(until_param="until", first=begin, window=dt.timedelta(days=1))
    with serving(api.respond) as (url, _):
        assert read_ids(extract(url, tmp_path, resource)) == [1, 1]
    assert len(api.asked) == 3


@pytest.mark.parametrize("param", ["token", None])
def test_a_token_of_the_last_page_is_asked_with_next_time(tmp_path: Path, param: str | None) -> None:
    changes = [[1, 2], [3], []]

    def respond(handler: Handler, _asked: int) -> None:
        load = int(handler.query.get("token", "0"))
        base = f"http://{handler.headers['Host']}/rows"
        rows = [{"id": number} for number in changes[load]]
        if handler.query.get("part") or len(rows) < 2:
            token = str(min(load + 1, 2))
            handler.send_json(
                {"data": rows[1:] or rows, "delta": token if param else f"{base}?token={token}"}
            )
        else:
            handler.send_json({"data": rows[:1], "next": f"{base}?part=2&token={load}"})

    resource = Resource(
        name="rows",
        path="/rows",
        record=Counted,
        paginator=NextLink(next="next"),
        incremental=SyncToken(path="delta", param=param),
    )
    with serving(respond) as (url, _):
        follower = Follower(url, tmp_path, resource)
        assert [follower.load() for _ in range(4)] == [[1, 2], [3], [], []]
        assert follower.cursor == ("2" if param else f"{url}/rows?token=2")
