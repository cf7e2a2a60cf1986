"""A small API in two versions of the world, the pipelines that read it, and what their tables must hold."""

import datetime as dt
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec

from tasks.pipeline import Frames, Incremental, PageNumber, Pipeline, Report, Resource, RestApi, Table

FIRST = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
LATER = dt.datetime(2024, 2, 1, tzinfo=dt.UTC)
ROWS, NEW_ROWS, PAGE = 2000, 400, 500
BAD = frozenset({9, 2001})
"""In the second version these have a negative price: one known row that changed, one new."""

SUITE = {
    "name": "items",
    "expectations": [
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "price", "min_value": 0},
            "meta": {"quarantine": True},
            "severity": "critical",
        },
        {
            "type": "unexpected_rows_expectation",
            "kwargs": {"unexpected_rows_query": "SELECT * FROM {batch} WHERE shelf > 19"},
            "meta": {"scope": "table"},
            "severity": "critical",
        },
    ],
}
TOTALS = (
    "SELECT shelf, count(*) AS items, sum(price) AS price FROM affected JOIN items USING (shelf) "
    "GROUP BY shelf"
)
DISPOSITIONS = (
    *("append", "append_keyless", "merge", "replace", "replace_keyless", "scd2", "scd2_snapshots"),
    *("merge_streamed", "replace_streamed", "merge_streamed_first", "replace_streamed_first"),
)
STREAMED = "_streamed"
"""Copied into staging in small batches while the API is read."""
FIRST_LOAD = "_first"
"""What is killed is the first load, whose staging becomes the table; the API stays as it is."""


class Item(msgspec.Struct, frozen=True):
    """A record, and a row."""

    id: int
    shelf: int
    price: float
    updated_at: dt.datetime


def items(version: int) -> dict[int, Item]:
    """All there is: in version 2 a third has changed, some is new, and a seventh is gone."""
    known = {i: Item(i, i % 20, i * 0.25, FIRST + dt.timedelta(seconds=i)) for i in range(ROWS)}
    if version == 1:
        return known
    touched = [*range(0, ROWS, 3), *range(ROWS, ROWS + NEW_ROWS)]
    changed = {
        i: Item(i, i % 20, -1.0 if i in BAD else i * 0.25 + 100, LATER + dt.timedelta(seconds=i))
        for i in touched
    }
    return {i: item for i, item in sorted((known | changed).items()) if i % 7 or i >= ROWS}


def tidy(frames: Frames) -> Frames:
    """The rows are the records."""
    return frames


def make_pipeline(disposition: str, base_url: str, folder: Path) -> Pipeline:
    """A pipeline with one table of that disposition, and a reporting table over it."""
    is_streamed, disposition = STREAMED in disposition, plain(disposition)
    is_whole = disposition in {"append_keyless", "replace", "replace_keyless", "scd2_snapshots"}
    changes = Incremental(field="updated_at", param="since")
    name, _, variant = disposition.partition("_")
    key = () if variant == "keyless" else ("id",)
    (folder / "items.json").write_text(json.dumps(SUITE), encoding="utf-8")
    (folder / "totals.sql").write_text(TOTALS, encoding="utf-8")
    return Pipeline(
        name="shelf",
        source=RestApi(base_url=base_url),
        resources=(
            Resource(
                name="items",
                path="/items",
                # Kept-out rows would block a table that is replaced without a key.
                params={"only": "good"} if disposition == "replace_keyless" else {},
                record=Item,
                paginator=PageNumber(page_size=PAGE, total_records="total"),
                incremental=None if is_whole else changes,
            ),
        ),
        transform=tidy,
        streamable=is_streamed,
        tables=(
            Table(
                name="items",
                primary_key=key,
                disposition=name,  # type: ignore[arg-type]  # checked by the model
                version_by="updated_at" if key and name in {"merge", "scd2"} and not is_whole else None,
                suite=str(folder / "items"),
            ),
        ),
        reports=(Report(name="totals", table="items", sql=folder / "totals.sql", group_by=("shelf",)),),
    )


def plain(disposition: str) -> str:
    """The disposition, whichever way it is loaded."""
    return disposition.removesuffix(FIRST_LOAD).removesuffix(STREAMED)


def expected_rows(disposition: str, loads: int) -> Counter[tuple[object, ...]]:
    """The oracle: what the table holds after so many loads, the first of version 1, by plain Python."""
    is_first, disposition = disposition.endswith(FIRST_LOAD), plain(disposition)
    old = items(1)
    new = {i: item for i, item in items(2).items() if i not in BAD}
    if disposition == "append_keyless":
        return Counter(map(_row, [*old.values(), *list(new.values()) * (loads - 1)]))
    if loads == 1 or is_first:
        return Counter(_with_validity(disposition, item, item) for item in old.values())
    match disposition:
        case "append":
            rows = [_row(item) for item in (new | old).values()]
        case "merge":
            # What is gone, an API that sends changes does not say.
            rows = [_row(item) for item in (old | new).values()]
        case "replace":
            # The good old version of a quarantined row stays.
            rows = [_row(item) for item in (new | {i: old[i] for i in BAD if i in old}).values()]
        case "replace_keyless":
            rows = [_row(item) for item in new.values()]
        case _:
            ended = [_with_validity(disposition, old[i], new.get(i)) for i in old]
            begun = [_with_validity(disposition, v, None) for i, v in new.items() if v != old.get(i)]
            return Counter([*ended, *begun])
    return Counter(rows)


def _with_validity(disposition: str, item: Item, later: Item | None) -> tuple[object, ...]:
    """For versions since when and until when; for snapshots, whose times are the loads', whether current."""
    match disposition:
        case "scd2":
            ends = later.updated_at if later and later != item else None
            return (*_row(item), item.updated_at, ends)
        case "scd2_snapshots":
            is_current = item.id in BAD or later == item or (later is None and not _is_gone(item))
            return (*_row(item), is_current)
        case _:
            return _row(item)


def _is_gone(item: Item) -> bool:
    return False if item.id >= ROWS else item.id % 7 == 0


def _row(item: Item) -> tuple[object, ...]:
    return msgspec.structs.astuple(item)


class Api:
    """The API on loopback; `version` is the world that it serves."""

    def __init__(self) -> None:
        self.version = 1
        self.url = ""

    def page(self, query: dict[str, list[str]]) -> bytes:
        """One page of what was updated since."""
        since = dt.datetime.fromisoformat(query["since"][0]) if "since" in query else FIRST
        found = [item for item in items(self.version).values() if item.updated_at >= since]
        if "only" in query:
            found = [item for item in found if item.price >= 0]
        size, number = int(query["per_page"][0]), int(query["page"][0])
        body = {"data": found[(number - 1) * size : number * size], "total": len(found)}
        return msgspec.json.encode(body)


@contextmanager
def serve() -> Iterator[Api]:
    """Serve the API until the end."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = api.page(parse_qs(urlsplit(self.path).query))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def handle(self) -> None:
            with suppress(ConnectionError):  # the client was killed
                super().handle()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield api
        server.shutdown()
