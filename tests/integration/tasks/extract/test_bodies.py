"""Bodies in every coding and framing arrive whole, or are asked for again."""

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.errors import FatalError
from tasks.pipeline import NdjsonBody, Resource, SinglePage
from tests.integration.tasks.extract.serving import ITEMS, Handler, extract, read_ids, serving

ONE = Resource(**(dict(ITEMS) | {"paginator": SinglePage()}))
LINES = Resource(**(dict(ONE) | {"records": NdjsonBody()}))
IDS = list(range(3_000))
PAGE = json.dumps({"data": [{"id": each} for each in IDS]}).encode()
NDJSON = b"".join(b'{"id": %d}\n' % each for each in IDS)


def send_chunked(handler: Handler, body: bytes, **headers: str) -> None:
    handler.send_response(200)
    for name, value in {"Transfer-Encoding": "chunked", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    for at in range(0, len(body), 1_000):
        part = body[at : at + 1_000]
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
    handler.wfile.write(b"0\r\n\r\n")


def send_until_the_end(handler: Handler, body: bytes, **headers: str) -> None:
    """As HTTP/1.0 does: the body ends where the connection does."""
    handler.close_connection = True
    handler.send_response(200)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


Send = Callable[..., None]
FRAMINGS: tuple[Send, ...] = (Handler.send, send_chunked, send_until_the_end)


@pytest.mark.parametrize("send", FRAMINGS)
@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        (None, bytes),
        ("", bytes),
        ("identity", bytes),
        ("Identity", bytes),
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("x-gzip", gzip.compress),
        ("gzip", lambda body: gzip.compress(body[:999]) + gzip.compress(body[999:])),
        ("deflate", zlib.compress),
        ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
        ("identity, gzip", gzip.compress),
    ],
)
def test_a_body_arrives_whole(
    tmp_path: Path, send: Send, coding: str | None, encode: Callable[[bytes], bytes]
) -> None:
    headers = {} if coding is None else {"Content_Encoding": coding}
    with serving(lambda handler, _: send(handler, encode(PAGE), **headers)) as (url, seen):
        assert read_ids(extract(url, tmp_path, ONE)) == IDS
    assert len(seen) == 1


def flushed(lines: int) -> bytes:
    """The compressed stream of a server that flushes after every line and breaks off after some."""
    pack = zlib.compressobj(wbits=31)
    parts = [pack.compress(line) + pack.flush(zlib.Z_SYNC_FLUSH) for line in NDJSON.splitlines(keepends=True)]
    return b"".join(parts[:lines])


def flip_a_bit_of_the_sum(body: bytes) -> bytes:
    return body[:-8] + bytes([body[-8] ^ 1]) + body[-7:]


@pytest.mark.parametrize(
    "damage",
    [
        lambda handler: handler.send(NDJSON, Content_Encoding="gzip"),  # it is not
        lambda handler: handler.send(gzip.compress(NDJSON)),  # it does not say so
        lambda handler: handler.send(gzip.compress(NDJSON), Content_Encoding="deflate"),
        lambda handler: handler.send(gzip.compress(NDJSON), Content_Encoding="identity"),
        lambda handler: handler.send(flip_a_bit_of_the_sum(gzip.compress(NDJSON)), Content_Encoding="gzip"),
        lambda handler: handler.send(gzip.compress(NDJSON)[:-9], Content_Encoding="gzip"),
        lambda handler: handler.send(flushed(1_000), Content_Encoding="gzip"),
        lambda handler: send_chunked(handler, flushed(1_000), Content_Encoding="gzip"),
        lambda handler: send_until_the_end(handler, flushed(1_000), Content_Encoding="gzip"),
        lambda handler: send_until_the_end(handler, zlib.compress(NDJSON)[:-9], Content_Encoding="deflate"),
    ],
)
def test_lines_in_a_damaged_coding_are_asked_for_again(
    tmp_path: Path, damage: Callable[[Handler], None]
) -> None:
    with serving(lambda handler, asked: damage(handler) if asked == 1 else handler.send(NDJSON)) as (
        url,
        seen,
    ):
        assert read_ids(extract(url, tmp_path, LINES)) == IDS
    assert len(seen) == 2


def test_a_coding_that_was_not_asked_for_is_refused(tmp_path: Path) -> None:
    with (
        serving(lambda handler, _: handler.send(PAGE, Content_Encoding="compress")) as (url, _),
        pytest.raises(FatalError, match="compressed by 'compress', which was not asked for"),
    ):
        extract(url, tmp_path, ONE)
