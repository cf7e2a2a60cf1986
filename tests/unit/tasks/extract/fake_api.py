"""An API without a network, and a small resource to ask it for."""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from msgspec import Struct

from tasks.errors import ConfigurationError
from tasks.extract.client import ApiClient, Limits
from tasks.extract.failures import ExtractionStopped, Failures
from tasks.extract.origins import Call
from tasks.handover import Load
from tasks.pipeline import Bearer, Incremental, PageNumber, Resource, RestApi

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
TOKEN = "s3cret-token-value"
SOURCE = RestApi(base_url="https://api.example.test", auth=Bearer(secret="flights-token"), connections=2)


class Flight(Struct):
    id: int
    carrier: str
    dep_delay: float | None
    updated_at: dt.datetime


FLIGHTS = Resource(
    name="flights",
    path="/flights",
    record=Flight,
    paginator=PageNumber(total_pages="pages", total_records="total"),
    incremental=Incremental(field="updated_at", param="since"),
)


@dataclass(frozen=True)
class Reply:
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answerer = Callable[[int, int], Reply | Exception]
"""Page number, how often it was asked for already → what comes back."""


class FakeApi(ApiClient):
    """The client with a function in place of the network."""

    def __init__(self, answer: Answerer, source: RestApi = SOURCE) -> None:
        super().__init__(source, "nyc_flights", find_secret, now=lambda: NOW)
        self.asked: list[int] = []
        self.errors: dict[str, Exception] = {}
        self.urls: list[str] = []
        self._answer = answer

    def _get(self, call: Call, failures: Failures, limits: Limits) -> tuple[requests.Response, bytes]:
        self._limiter.wait(limits.stop)
        if limits.stop.is_set():
            raise ExtractionStopped(failures.who)
        for resource, error in self.errors.items():
            if resource in failures.who:
                raise error
        page = int(parse_qs(urlsplit(call.url).query)["page"][0])
        earlier = self.asked.count(page)
        self.asked.append(page)
        self.urls.append(call.url)
        reply = self._answer(page, earlier)
        if isinstance(reply, requests.RequestException):
            raise failures.of_exception(reply) from reply
        if isinstance(reply, Exception):
            raise reply
        response = requests.Response()
        response.status_code = reply.status
        response.reason = "Reason"
        response.headers.update(reply.headers)
        return response, reply.body


def find_secret(name: str) -> str:
    if name != "flights-token":
        raise ConfigurationError(name)
    return TOKEN


def make_flight(number: int, **changes: Any) -> dict[str, Any]:
    updated_at = dt.datetime(2013, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=number, microseconds=number)
    flight = {"id": number, "carrier": "UA", "dep_delay": number / 4, "updated_at": updated_at.isoformat()}
    return {**flight, **changes}


def serve(pages: Sequence[Iterable[Any]]) -> Callable[[int, int], Reply]:
    """An API with these records on its pages."""
    lists = [list(page) for page in pages]
    total = sum(map(len, lists))

    def answer(page: int, _earlier: int) -> Reply:
        records = lists[page - 1] if page <= len(lists) else []
        return Reply(json.dumps({"data": records, "pages": len(lists), "total": total}).encode())

    return answer


def make_load(folder: Path, *, attempt: int = 1, cursor: str | None = None) -> Load:
    return Load(
        load_id="load",
        attempt_no=attempt,
        pipeline="nyc_flights",
        cursors={"flights": cursor},
        landing=str(folder / "landing"),
        work=str(folder / "work" / str(attempt)),
        started_at=NOW,
    )
