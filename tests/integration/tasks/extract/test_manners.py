"""How an API wants to be treated, and APIs that treat us badly."""

import datetime as dt
import gzip
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from email.utils import format_datetime
from pathlib import Path

import pytest

from tasks.errors import FatalError, RetriableError
from tasks.extract import body
from tasks.pipeline import CsvBody, NdjsonBody, Resource, SinglePage
from tests.integration.tasks.extract.serving import ITEMS, Handler, extract, make_page, read_ids, serving

ONE = Resource(**(dict(ITEMS) | {"paginator": SinglePage()}))


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def http_date(moment: dt.datetime) -> str:
    return format_datetime(moment, usegmt=True)


class Quota:
    """So many requests in any quarter of a second; beyond, 429 in one of the ways APIs say it."""

    def __init__(self, say: Callable[[Handler], None], requests: int = 3, per_s: float = 0.25) -> None:
        self.refused = 0
        self.headers: dict[str, str] = {}
        self._say = say
        self._requests = requests
        self._per_s = per_s
        self._served: deque[float] = deque()
        self._lock = threading.Lock()

    def respond(self, handler: Handler, _asked: int) -> None:
        with self._lock:
            moment = time.monotonic()
            while self._served and moment - self._served[0] > self._per_s:
                self._served.popleft()
            is_refused = len(self._served) >= self._requests
            self.refused += is_refused
            if not is_refused:
                self._served.append(moment)
        if is_refused:
            self._say(handler)
        else:
            handler.send_json(make_page(handler), 200, **self.headers)


@pytest.mark.parametrize(
    "say",
    [
        lambda handler: handler.send(b"{}", 429, Retry_After="0.1"),
        lambda handler: handler.send(b"{}", 429, Retry_After=http_date(now() + dt.timedelta(seconds=1))),
        lambda handler: handler.send(b"{}", 429, X_RateLimit_Reset=f"{now().timestamp() + 0.1:.3f}"),
        lambda handler: handler.send(b"{}", 403, X_RateLimit_Remaining="0", X_RateLimit_Reset="0.1"),
    ],
    ids=["seconds", "date", "epoch", "forbidden"],
)
def test_a_storm_of_refusals_costs_no_record_and_no_try(
    tmp_path: Path, say: Callable[[Handler], None]
) -> None:
    quota = Quota(say)
    with serving(quota.respond) as (url, _):
        extracted = extract(url, tmp_path, connections=8, attempts=1)
    assert read_ids(extracted) == list(range(120))
    assert quota.refused > 0


def test_a_quota_that_is_used_up_is_waited_for_without_being_refused(tmp_path: Path) -> None:
    quota = Quota(lambda handler: handler.send(b"{}", 429), requests=1, per_s=0.02)
    quota.headers = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "0.03"}
    with serving(quota.respond) as (url, _):
        extracted = extract(url, tmp_path, connections=1, attempts=1)
    assert (extracted.received, quota.refused) == (120, 0)


def test_refusals_end_at_the_deadline(tmp_path: Path) -> None:
    with (
        serving(lambda handler, _: handler.send(b"{}", 429, Retry_After="0.1")) as (url, seen),
        pytest.raises(RetriableError, match="answered 429") as error,
    ):
        extract(url, tmp_path, deadline_s=0.4)
    assert error.value.retry_after_s == 0.1
    assert 3 <= len(seen) <= 6


@pytest.mark.parametrize("said", ["0", "Mon, 01 Jan 2024 00:00:00 GMT"])
def test_a_pause_that_is_over_is_waited_for_as_if_none_were_named(tmp_path: Path, said: str) -> None:
    with (
        serving(lambda handler, _: handler.send(b"{}", 429, Retry_After=said)) as (url, seen),
        pytest.raises(RetriableError, match="answered 429"),
    ):
        extract(url, tmp_path, deadline_s=0.5)
    assert len(seen) == 1


def _never_answer(handler: Handler) -> None:
    handler.close_connection = True
    time.sleep(2)


def _trickle(handler: Handler) -> None:
    handler.close_connection = True
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b" ")
        time.sleep(0.05)


@pytest.mark.parametrize("treat", [_never_answer, _trickle])
def test_an_api_that_never_ends_is_left_at_the_deadline(
    tmp_path: Path, treat: Callable[[Handler], None]
) -> None:
    began = time.monotonic()
    with serving(lambda handler, _: treat(handler)) as (url, _):
        with pytest.raises(RetriableError, match=r"(did not answer|did not end within deadline_s)"):
            extract(url, tmp_path, deadline_s=0.4)
        assert time.monotonic() - began < 1.5


def test_a_page_of_50_mb_is_read(tmp_path: Path) -> None:
    filler = "x" * 100_000
    page = json.dumps({"data": [{"id": number, "filler": filler} for number in range(500)]}).encode()
    with serving(lambda handler, _: handler.send(page)) as (url, _):
        extracted = extract(url, tmp_path, ONE)
    assert (extracted.received, extracted.bytes > 50_000_000) == (500, True)


def test_a_page_beyond_all_bounds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "LARGEST_PAGE_BYTES", 1_000_000)
    bomb = gzip.compress(b" " * 10_000_000)
    with (
        serving(lambda handler, _: handler.send(bomb, Content_Encoding="gzip")) as (url, seen),
        pytest.raises(FatalError, match="larger than 1 MB: ask for fewer records"),
    ):
        extract(url, tmp_path, ONE)
    assert len(seen) == 1


CSV = b"id\r\n1\r\n2\r\n"
NDJSON = b'{"id": 1}\n{"id": 2}\n'


@pytest.mark.parametrize(
    "damaged", [b"<!doctype html><h1>Maintenance</h1>", b"", b"id,x\r\n1,2\r\n3", b'id\r\n"1']
)
def test_a_csv_that_is_none_or_breaks_off_is_asked_for_again(tmp_path: Path, damaged: bytes) -> None:
    table = Resource(**(dict(ONE) | {"records": CsvBody()}))
    with serving(lambda handler, asked: handler.send(damaged if asked == 1 else CSV)) as (url, seen):
        assert read_ids(extract(url, tmp_path, table)) == [1, 2]
    assert len(seen) == 2


@pytest.mark.parametrize("damaged", [b"<html>", NDJSON[:-4]])
def test_lines_that_are_none_or_break_off_are_asked_for_again(tmp_path: Path, damaged: bytes) -> None:
    lines = Resource(**(dict(ONE) | {"records": NdjsonBody()}))
    with serving(lambda handler, asked: handler.send(damaged if asked == 1 else NDJSON)) as (url, seen):
        assert read_ids(extract(url, tmp_path, lines)) == [1, 2]
    assert len(seen) == 2


def test_a_length_shorter_than_the_body_is_asked_for_again(tmp_path: Path) -> None:
    page = b'{"data": [{"id": 1}]}'

    def respond(handler: Handler, asked: int) -> None:
        handler.close_connection = asked == 1
        handler.send(page, Content_Length=str(len(page) - (5 if asked == 1 else 0)))

    with serving(respond) as (url, seen):
        assert read_ids(extract(url, tmp_path, ONE)) == [1]
    assert len(seen) == 2
