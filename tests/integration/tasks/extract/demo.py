"""A small demo API, and the resources to ask it for."""

import datetime as dt
from pathlib import Path

from msgspec import Struct

from deployments.local.api.data import read_frame, take_snapshot
from deployments.local.api.server import DemoApi
from tasks.extract.client import ApiClient, open_client
from tasks.extract.extract import extract_resource
from tasks.handover import Extracted, Load
from tasks.pipeline import Bearer, Incremental, PageNumber, Resource, RestApi

TOKEN = "a-token-only-for-this-test"
PAGES = 10
PAGE_SIZE = 500


class Flight(Struct):
    id: int
    carrier: str
    tailnum: str | None
    dep_delay: int | None
    air_time: int | None
    time_hour: dt.datetime
    updated_at: dt.datetime


FLIGHTS = Resource(
    name="flights",
    path="/flights",
    record=Flight,
    paginator=PageNumber(total_records="total", page_size=PAGE_SIZE),
    incremental=Incremental(field="updated_at", param="updated_since", lag=dt.timedelta(hours=1)),
)


def make_api() -> DemoApi:
    """The first 5,000 flights."""
    return DemoApi(TOKEN, snapshots={"flights": take_snapshot(read_frame("flights").head(PAGES * PAGE_SIZE))})


def make_client(url: str, token: str = TOKEN, **changes: object) -> ApiClient:
    source = RestApi(base_url=url, auth=Bearer(secret="flights-token"))
    return open_client(source.model_copy(update=changes), "nyc_flights", lambda _name: token)


def make_load(folder: Path, *, attempt: int = 1, cursor: str | None = None) -> Load:
    return Load(
        load_id="load",
        attempt_no=attempt,
        pipeline="nyc_flights",
        cursors={"flights": cursor},
        landing=str(folder / "landing"),
        work=str(folder / "work" / str(attempt)),
        started_at=dt.datetime.now(dt.UTC),
    )


def extract_to_be_killed(url: str, folder: str) -> None:
    """Runs in a process of its own: lands a page a segment, and never ends."""
    from tasks.extract.landing import zone  # noqa: PLC0415  (changed in this process only)

    zone.SEGMENT_BYTES = 1
    extract_resource(make_client(url, connections=1), FLIGHTS, make_load(Path(folder)))


def extract(
    api: DemoApi, folder: Path, *, attempt: int = 1, cursor: str | None = None, **source: object
) -> Extracted:
    with make_client(api.url, **source) as client:  # type: ignore[arg-type]  # token is no declaration
        return extract_resource(client, FLIGHTS, make_load(folder, attempt=attempt, cursor=cursor))
