"""Extract a dialect's records from the dialect server."""

import datetime as dt
from pathlib import Path

import polars as pl

from tasks.extract.client import open_client
from tasks.extract.extract import extract_resource
from tasks.handover import Extracted, Load
from tasks.pipeline import Resource, RestApi
from tests.integration.tasks.extract.dialects.server import Record


def make_records(count: int) -> list[Record]:
    """Ids in an order that is not sorted as text, and a text a record."""
    return [{"id": 3 * number + 7, "name": f"record {number}"} for number in range(count)]


def make_load(folder: Path, attempt: int = 1) -> Load:
    return Load(
        load_id="load",
        attempt_no=attempt,
        pipeline="dialects",
        cursors={},
        landing=str(folder / "landing"),
        work=str(folder / "work" / str(attempt)),
        started_at=dt.datetime.now(dt.UTC),
    )


def extract(
    url: str,
    resource: Resource,
    folder: Path,
    *,
    attempt: int = 1,
    parent: Extracted | None = None,
    **source: object,
) -> Extracted:
    api = RestApi(base_url=url).model_copy(update=source)
    with open_client(api, "dialects", lambda _name: "") as client:
        return extract_resource(client, resource, make_load(folder, attempt), parent)


def read_ids(extracted: Extracted) -> list[int]:
    ids: list[int] = pl.read_parquet(Path(extracted.frames) / "*.parquet")["id"].to_list()
    return ids
