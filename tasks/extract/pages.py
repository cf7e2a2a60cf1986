"""What the parts of an extraction hand each other: requests for pages, pages, and answers."""

import datetime as dt

from msgspec import Raw, Struct


def utc_now() -> dt.datetime:
    """The time, with its zone."""
    return dt.datetime.now(dt.UTC)


def iso(moment: dt.datetime) -> str:
    """ISO 8601 in UTC with `Z`, microseconds kept: the form in which cursors are sent and kept."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


class PageRequest(Struct, frozen=True):
    """A page to ask for; `number` is its place in the extraction, from 1."""

    number: int
    params: dict[str, str]


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
    `facts` are the numbers that the paginator asked for. `fingerprint` is a hash of the records alone,
    empty for a page without any: two pages with the same one are the same page.
    """

    page: Page
    records: Raw | list[bytes]
    facts: dict[str, int]
    fingerprint: bytes
