"""A server of a few lines for one test, and what it takes to extract from it."""

import datetime as dt
import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import polars as pl
from msgspec import Struct

from tasks.errors import ConfigurationError
from tasks.extract.client import open_client
from tasks.extract.extract import extract_resource
from tasks.handover import Extracted, Load
from tasks.pipeline import PageNumber, Resource, RestApi


class Handler(http.server.BaseHTTPRequestHandler):
    """Calls `respond` with itself and how many requests were seen, this one included."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else head and body, sent apart, wait 40 ms for each other
    respond: Callable[["Handler", int], None]
    seen: list[str]
    body: bytes = b""

    def do_GET(self) -> None:
        self.body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.seen.append(f"{self.path} {self.headers.get('Authorization')}")
        type(self).respond(self, len(self.seen))

    do_POST = do_GET  # noqa: N815  (the base class's way of naming)

    @property
    def route(self) -> str:
        return urlsplit(self.path).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, value: Any, status: int = 200, **headers: str) -> None:
        self.send(json.dumps(value).encode(), status, **headers)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
        pass


@contextmanager
def serving(respond: Callable[[Handler, int], None]) -> Iterator[tuple[str, list[str]]]:
    """The server's address, and the requests it has seen: path and Authorization."""
    seen: list[str] = []
    handler = type("Handler", (Handler,), {"respond": respond, "seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


class Item(Struct):
    id: int


PAGES = 12
ITEMS = Resource(
    name="items",
    path="/items",
    record=Item,
    paginator=PageNumber(page_size=10, total_pages="pages", total_records="total"),
)


def make_page(handler: Handler) -> dict[str, Any]:
    """One of 12 pages of 10 items."""
    first = 10 * (int(handler.query.get("page", "1")) - 1)
    items = [{"id": number} for number in range(first, first + 10)]
    return {"data": items, "pages": PAGES, "total": 10 * PAGES}


def extract(
    url: str,
    folder: Path,
    resource: Resource = ITEMS,
    *,
    secrets: Mapping[str, str] | None = None,
    cursor: str | None = None,
    attempt: int = 1,
    **source: Any,
) -> Extracted:
    """The resource, extracted from a server by a source declared so."""

    def find_secret(name: str) -> str:
        if name not in (secrets or {}):
            raise ConfigurationError(f"The secret {name!r} is not set.")
        return (secrets or {})[name]

    load = Load(
        load_id="load",
        attempt_no=attempt,
        pipeline="shop",
        cursors={resource.name: cursor},
        landing=str(folder / "landing"),
        work=str(folder / "work" / str(attempt)),
        started_at=dt.datetime.now(dt.UTC),
    )
    with open_client(RestApi(**({"base_url": url} | source)), "shop", find_secret) as client:
        return extract_resource(client, resource, load)


def read_rows(extracted: Extracted) -> list[dict[str, Any]]:
    return pl.read_parquet(Path(extracted.frames) / "*.parquet").to_dicts()


def read_ids(extracted: Extracted) -> Sequence[int]:
    return [row["id"] for row in read_rows(extracted)]
