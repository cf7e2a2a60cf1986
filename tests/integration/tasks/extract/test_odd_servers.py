"""What the demo API does not do, done by a server of a few lines."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.errors import FatalError, RetriableError
from tasks.extract.extract import extract_resource
from tasks.handover import Extracted
from tests.integration.tasks.extract.demo import FLIGHTS, TOKEN, make_client, make_load
from tests.integration.tasks.extract.serving import Handler, serving

RECORD = {
    "id": 1,
    "carrier": "UA",
    "tailnum": None,
    "dep_delay": 2,
    "air_time": 200,
    "time_hour": "2013-01-01T10:00:00Z",
    "updated_at": "2013-01-01T10:00:00Z",
}
PAGE = json.dumps({"data": [RECORD], "pages": 1, "total": 1}).encode()


def extract(url: str, folder: Path) -> Extracted:
    with make_client(url, attempts=2) as client:
        return extract_resource(client, FLIGHTS, make_load(folder))


def test_a_compressed_page_is_read(tmp_path: Path) -> None:
    with serving(lambda handler, _: handler.send(gzip.compress(PAGE), Content_Encoding="gzip")) as (url, _):
        assert extract(url, tmp_path).received == 1


def _damage_gzip(handler: Handler) -> None:
    handler.send(gzip.compress(PAGE)[:10] + b"garbage", Content_Encoding="gzip")


def _promise_more(handler: Handler) -> None:
    handler.close_connection = True
    handler.send(PAGE[:-20], Content_Length=str(len(PAGE)))


def _end_early_without_a_length(handler: Handler) -> None:
    handler.close_connection = True
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(PAGE[:-20])


def _end_a_chunk_early(handler: Handler) -> None:
    handler.close_connection = True
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"ffff\r\n" + PAGE[:-20])


def _say_nothing(handler: Handler) -> None:
    handler.close_connection = True


@pytest.mark.parametrize(
    "damage",
    [_damage_gzip, _promise_more, _end_early_without_a_length, _end_a_chunk_early, _say_nothing],
)
def test_a_damaged_answer_is_asked_for_again(tmp_path: Path, damage: Callable[[Handler], None]) -> None:
    with serving(lambda handler, asked: damage(handler) if asked == 1 else handler.send(PAGE)) as (url, seen):
        assert extract(url, tmp_path).received == 1
    assert len(seen) == 2


@pytest.mark.parametrize(
    "damage",
    [_damage_gzip, _promise_more, _end_early_without_a_length, _end_a_chunk_early, _say_nothing],
)
def test_an_answer_that_stays_damaged_is_retriable(tmp_path: Path, damage: Callable[[Handler], None]) -> None:
    with (
        serving(lambda handler, _: damage(handler)) as (url, _seen),
        pytest.raises(RetriableError, match="try 2 of 2"),
    ):
        extract(url, tmp_path)


def test_a_token_does_not_follow_a_redirect_to_another_origin(tmp_path: Path) -> None:
    with (
        serving(lambda handler, _: handler.send(PAGE)) as (elsewhere, seen_elsewhere),
        serving(lambda handler, _: handler.send(b"", 302, Location=elsewhere + "/flights")) as (url, seen),
    ):
        with pytest.raises(FatalError, match="leads to another origin"):
            extract(url, tmp_path)
        assert len(seen) == 1
        assert seen_elsewhere == []


def test_a_token_follows_a_redirect_within_the_origin(tmp_path: Path) -> None:
    def respond(handler: Handler, _asked: int) -> None:
        if handler.path.startswith("/v2/"):
            handler.send(PAGE)
        else:
            handler.send(b"", 307, Location=f"/v2{handler.path}")

    with serving(respond) as (url, seen):
        assert extract(url, tmp_path).received == 1
    assert [line.endswith(f"Bearer {TOKEN}") for line in seen] == [True, True]


def test_a_connection_is_kept_for_the_next_page(tmp_path: Path) -> None:
    ports = set()

    def respond(handler: Handler, asked: int) -> None:
        ports.add(handler.client_address[1])
        record = {**RECORD, "id": asked}
        handler.send(json.dumps({"data": [record], "pages": 30, "total": 30}).encode())

    with serving(respond) as (url, _), make_client(url, connections=2) as client:
        extract_resource(client, FLIGHTS, make_load(tmp_path))
    assert len(ports) <= 2
