"""A paginator, driven as an extraction drives it, against a dialect without a network."""

import hashlib
import json
from collections import deque
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msgspec import Raw
from requests.structures import CaseInsensitiveDict

from tasks.extract.envelope import Envelope
from tasks.extract.pages import Answer, Page, PageRequest
from tasks.extract.pagination.paginate import learn, paginate
from tasks.extract.pagination.protocol import Paginator
from tasks.pipeline import Resource
from tests.integration.tasks.extract.dialects.server import Asked, Dialect, Record
from tests.unit.tasks.extract.fake_api import NOW

BASE = "http://api.test"


class Driver:
    """Asks a dialect for up to `window` pages at a time, and takes them in order."""

    def __init__(self, resource: Resource, dialect: Dialect, records: Sequence[Record]) -> None:
        self.requests: list[PageRequest] = []
        self.pages: list[Page] = []
        self.taken: list[Record] = []
        self._dialect = dialect
        self._records = records
        start = PageRequest(0, resource.params, resource.path, None, resource.method, resource.json_body)
        self.paginator: Paginator = paginate(resource, start)
        self._envelope = Envelope(resource.records, self.paginator.reads, record=resource.record)

    def run(self, window: int, stop_after: int = 10_000) -> "Driver":
        """Take all pages, or so many."""
        pending: deque[Answer] = deque()
        while len(self.pages) < stop_after:
            while len(pending) < window and (request := self.paginator.next_request()):
                pending.append(self._fetch(request))
            if not pending:
                break
            self.take(pending.popleft())
            if self.paginator.withdraw():
                pending.clear()
        return self

    def feed(self, pages: Sequence[Page]) -> "Driver":
        """Take landed pages."""
        for page in pages:
            self.paginator.next_request()
            self.take(self._envelope.open_page(page))
            self.paginator.withdraw()
        return self

    def finish(self) -> "Driver":
        self.paginator.finish(len(self.taken))
        return self

    def take(self, answer: Answer) -> None:
        self.pages.append(learn(self.paginator, answer).page)
        self.taken += map(json.loads, answer.cut())

    def _fetch(self, request: PageRequest) -> Answer:
        self.requests.append(request)
        url = request.url or f"{BASE}{request.path}"
        parts = urlsplit(url)
        query = request.params if request.url is None else dict(parse_qsl(parts.query))
        asked = Asked(
            request.method, parts.path, query, CaseInsensitiveDict(request.headers), request.json, BASE
        )
        reply = self._dialect(asked, self._records)
        assert reply.status == 200 or reply.status in request.accepts or request.is_guess
        body = json.dumps(reply.payload).encode()
        page = Page(
            number=request.number,
            url=url,
            status=reply.status if reply.status in (200, *request.accepts) else 404,
            content_type="application/json",
            fetched_at=NOW,
            sha256=hashlib.sha256(body).hexdigest(),
            body=body,
            headers=self._envelope.keep_headers(CaseInsensitiveDict(reply.headers)),
        )
        return self._envelope.open_page(page)


def make_answer(number: int, *records: Any, **facts: Any) -> Answer:
    """An answer with these records on it."""
    body = json.dumps(records).encode()
    page = Page(
        number=number,
        url="https://api.example.test/flights",
        status=200,
        content_type="application/json",
        fetched_at=NOW,
        sha256=hashlib.sha256(body).hexdigest(),
        body=body,
    )
    return Answer(page, Raw(body), facts, 0)
