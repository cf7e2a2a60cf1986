"""What the parts of an extraction hand each other: requests for pages, pages, and answers."""

import datetime as dt
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

Records = Raw | list[bytes]
Method = Literal["GET", "POST"]

WITH_BODY = (HTTPStatus.OK, HTTPStatus.CREATED, 203, HTTPStatus.PARTIAL_CONTENT)
"""Statuses of a page: some answer a search by POST with 201, and a part of all records with 206."""
EMPTY = (HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT)
"""Statuses of a page without records."""


def utc_now() -> dt.datetime:
    """The time, with its zone."""
    return dt.datetime.now(dt.UTC)


def iso(moment: dt.datetime) -> str:
    """ISO 8601 in UTC with `Z`, microseconds kept: the form in which cursors are sent and kept."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


class PageRequest(Struct, frozen=True):
    """A page to ask for; `number` is its place in the extraction, from 1.

    Attributes:
        params: Query parameters, added to the resource's path, or to `path`.
        path: Instead of the resource's, relative to the base URL: a child's path with its parent's key in it.
        url: Instead of path and parameters: an absolute URL that the API gave. It may lead elsewhere.
        method: `POST` for APIs that are asked by a body.
        json: What is sent as the JSON body.
        headers: Sent beside the session's own; never a secret, since they are no part of what is masked.
        accepts: Statuses besides success that are an answer, one without records: a 404 past the last page.
        is_guess: Asked for before it is known whether there is such a page; what goes wrong with it counts
            only when its turn comes.
    """

    number: int
    params: dict[str, str] = {}
    path: str = ""
    url: str | None = None
    method: Method = "GET"
    json: Any = None
    headers: dict[str, str] = {}
    accepts: tuple[int, ...] = ()
    is_guess: bool = False

    @property
    def body(self) -> bytes | None:
        """The JSON body as it is sent and landed."""
        return None if self.json is None else msgspec.json.encode(self.json)

    def ask(self, **params: str | int) -> "PageRequest":
        """The same request with these query parameters besides."""
        asked = {name: str(value) for name, value in params.items()}
        return msgspec.structs.replace(self, params={**self.params, **asked})


class Page(Struct, frozen=True, kw_only=True):
    """A raw response, as it is kept in the landing zone; the URL carries no secret.

    `headers` is JSON text of the headers that the paginator read, `next_state` of what it learned.
    """

    number: int
    url: str
    status: int
    content_type: str
    fetched_at: dt.datetime
    sha256: str
    body: bytes
    headers: str = "{}"
    next_state: str = "{}"
    request_body: bytes | None = None


class Answer(Struct, frozen=True):
    """A page whose envelope was read, and whose records were not yet.

    `records` is the JSON list as it came, or one slice a record when some of them are not valid JSON.
    `facts` are what the paginator asked for. `fingerprint` is a hash of the records alone, 0 for a page
    without any, good for this process: two pages with the same one are the same page.
    """

    page: Page
    records: Records
    facts: Mapping[str, Any]
    fingerprint: int

    @property
    def is_missing(self) -> bool:
        """Whether there is no such page: its status was accepted in place of success."""
        return self.page.status not in (*WITH_BODY, *EMPTY)

    def cut(self) -> list[bytes]:
        """Each record as it came, unread."""
        if isinstance(self.records, list):
            return self.records
        return [bytes(record) for record in _CUT.decode(self.records)]

    def count(self) -> int:
        """How many records the page holds, without reading them."""
        return len(self.records if isinstance(self.records, list) else _CUT.decode(self.records))

    def json(self) -> Any:
        """The whole body, for paginators that are a function."""
        return msgspec.json.decode(self.page.body)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that were kept, by the names under which the paginator declared them."""
        return msgspec.json.decode(self.page.headers, type=dict[str, str])


_CUT = msgspec.json.Decoder(list[Raw])
