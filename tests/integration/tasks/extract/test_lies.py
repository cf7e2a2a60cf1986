"""APIs that lie at random, in bodies, headers and statuses: a run fails in our words, or ends.

ASSAY_LIES=50 tries each dialect as often; by default twice.
"""

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import FatalError, PipelineError
from tasks.pipeline import LinkHeader, NextLink, Resource
from tests.integration.tasks.extract.dialects.declarations import DECLARED
from tests.integration.tasks.extract.dialects.paging import PAGING
from tests.integration.tasks.extract.dialects.running import extract, make_records, read_ids
from tests.integration.tasks.extract.dialects.server import Asked, Dialect, DialectServer, Record, Reply
from tests.integration.tasks.extract.serving import ITEMS, Handler, serving
from tests.integration.tasks.extract.serving import extract as serving_extract

ROUNDS = int(os.environ.get("ASSAY_LIES", "2"))
RECORDS = make_records(900)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2, 1.5, float("inf"), 10**30, "", "x", "0", "-3", "1e5", "null", "٣", "é"),
    *(
        "\0",
        "\ud800",
        "a" * 5_000,
        "http://",
        "http://[",
        "http://x:y",
        "//evil.test/x",
        "ht tp://x",
        "?page=2",
    ),
    *([], {}, [1], {"a": 1}),
)
HEADERS = {
    "Link": ["<http://[>; rel=next", "<>; rel=next", '</x>; rel="next', "<?page=2>; rel=next, <", ";;;"],
    "Content-Type": ["text/html", "application/json; charset=utf-16", "application/json; charset=x", ""],
    "Content-Encoding": ["gzip", "br", ","],
    "Location": ["", "http://[", "http://x:y/", "//evil.test/x"],
    "Retry-After": ["0", "x", "-1", ""],
    "X-RateLimit-Reset": ["NaN", "1e9", "99999999999999999999"],
}
STATUSES = (201, 204, 205, 206, 300, 301, 303, 304, 308, 400, 404, 409, 410, 416, 500, 999)


def spoil(value: Any, chance: random.Random, share: float) -> Any:
    """The value with some of its parts turned into others, or left out."""
    if chance.random() < share:
        return chance.choice(VALUES)
    if isinstance(value, dict):
        kept = {key: part for key, part in value.items() if chance.random() > share / 2}
        return {key: spoil(part, chance, share) for key, part in kept.items()}
    if isinstance(value, list):
        return [spoil(part, chance, share / 20) for part in value]
    return value


def lie(dialect: Dialect, seed: int) -> Dialect:
    """The same answers, of which every second one is spoilt: each request always in the same way."""

    def answer(asked: Asked, records: Sequence[Record]) -> Reply:
        reply = dialect(asked, records)
        chance = random.Random(f"{seed} {asked.path} {asked.query} {asked.body}")
        if chance.random() < 0.5:
            return reply
        headers = dict(reply.headers)
        if chance.random() < 0.4:
            name = chance.choice(sorted(HEADERS))
            headers[name] = chance.choice(HEADERS[name])
        status = chance.choice(STATUSES) if chance.random() < 0.1 else reply.status
        return Reply(spoil(reply.payload, chance, 0.15), headers, status)

    return answer


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_an_api_that_lies_is_told_of_in_our_words(tmp_path: Path, seed: int) -> None:
    lying = {name: lie(dialect, seed) for name, dialect in PAGING.items()}
    outcomes = []
    with DialectServer(lying, RECORDS) as server:
        for name, declare in DECLARED.items():
            resource = declare().model_copy(update={"max_pages": 60})
            try:
                extracted = extract(server.url, resource, tmp_path / name, attempts=1, deadline_s=3.0)
            except PipelineError as exc:
                outcomes.append(type(exc).__name__)
            else:
                assert len(read_ids(extracted)) + extracted.rejected_count == extracted.received
                outcomes.append("whole")
    assert len(set(outcomes)) > 2
    print(f"round {seed}: {outcomes}")


@pytest.mark.parametrize(
    ("address", "reason"), [("http://[", "Invalid IPv6"), ("http://host:port/", "Port .* 'port'")]
)
@pytest.mark.parametrize("place", ["next", "Location", "Link"])
def test_an_address_that_is_none_is_named(tmp_path: Path, address: str, reason: str, place: str) -> None:
    def respond(handler: Handler, _asked: int) -> None:
        headers = {"Location": address, "Link": f"<{address}>; rel=next"}
        sent = {name: value for name, value in headers.items() if name == place}
        status = 302 if place == "Location" else 200
        handler.send_json({"data": [{"id": 1}], "next": address}, status, **sent)

    paginator = LinkHeader() if place == "Link" else NextLink(next="next")
    links = Resource(**(dict(ITEMS) | {"paginator": paginator}))
    with (
        serving(respond) as (url, seen),
        pytest.raises(FatalError, match=rf"items.* page 1.*is no address.*{reason}"),
    ):
        serving_extract(url, tmp_path, links)
    assert len(seen) == 1
