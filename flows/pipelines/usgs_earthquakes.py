"""Earthquakes of magnitude 4.5 and more, worldwide, from the US Geological Survey; no key is needed.

https://earthquake.usgs.gov/fdsnws/event/1/ : GeoJSON, pages by offset from 1, changes by `updatedafter`.
"""

import datetime as dt

import msgspec
import polars as pl

from tasks.pipeline import (
    EpochMilliseconds,
    Frames,
    GeoJsonFeatures,
    Incremental,
    Offset,
    Pipeline,
    RateLimit,
    Resource,
    RestApi,
    Table,
)


class Earthquake(msgspec.Struct, frozen=True):
    """An event as the API sends it: its point's third coordinate, here `elevation`, is the depth in km."""

    id: str
    time: EpochMilliseconds
    updated: EpochMilliseconds
    mag: float | None
    magType: str | None  # noqa: N815  the API's name
    place: str | None
    type: str
    status: str
    tsunami: int
    sig: int
    felt: int | None
    alert: str | None
    longitude: float
    latitude: float
    elevation: float | None


def tidy(frames: Frames) -> Frames:
    """One row per event; `id` unique. `magnitude` depends on `magnitude_type`, and may be revised."""
    events = frames["earthquakes"].select(
        "id",
        "place",
        "status",
        occurred_at="time",
        updated="updated",
        magnitude="mag",
        magnitude_type="magType",
        event_type="type",
        is_tsunami=pl.col("tsunami") == 1,
        significance="sig",
        felt_reports="felt",
        alert_level="alert",
        lon_deg="longitude",
        lat_deg="latitude",
        depth_km="elevation",
    )
    return {"earthquakes": events}


pipeline = Pipeline(
    name="usgs_earthquakes",
    description="Earthquakes of magnitude 4.5 and more since 2024, as the USGS revises them.",
    source=RestApi(
        base_url="https://earthquake.usgs.gov/fdsnws/event/1",
        rate_limit=RateLimit(requests=2),
        timeout_s=120,
    ),
    resources=(
        Resource(
            name="earthquakes",
            path="/query",
            params={
                "format": "geojson",
                "orderby": "time-asc",
                "starttime": "2024-01-01",
                "minmagnitude": "4.5",
            },
            record=Earthquake,
            columns="discard",
            records=GeoJsonFeatures(),
            paginator=Offset(first=1, page_size=5000, ends_with="short_page"),
            incremental=Incremental(
                field="updated", param="updatedafter", bound="exclusive", lag=dt.timedelta(hours=1)
            ),
        ),
    ),
    transform=tidy,
    streamable=True,
    tables=(Table(name="earthquakes", primary_key=("id",), version_by="updated"),),
)
