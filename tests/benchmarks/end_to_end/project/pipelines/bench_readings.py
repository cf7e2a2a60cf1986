"""Narrow rows, very many of them: readings of sensors."""

import datetime as dt

import msgspec
import polars as pl

from tasks.pipeline import Frames, PageNumber, Pipeline, Resource, RestApi, Table


class Reading(msgspec.Struct, frozen=True):
    """A sensor's temperature at a moment."""

    id: int
    sensor: int
    celsius: float
    read_at: dt.datetime


def tidy(frames: Frames) -> Frames:
    """One row per reading; `id` unique."""
    return {"readings": frames["readings"].rename({"celsius": "temperature_c"}).select(pl.all())}


pipeline = Pipeline(
    name="bench_readings",
    source=RestApi(base_url="http://127.0.0.1:1"),
    resources=(
        Resource(
            name="readings",
            path="/readings",
            records="data",
            record=Reading,
            paginator=PageNumber(page_size=10_000, total_pages="pages"),
        ),
    ),
    transform=tidy,
    streamable=True,
    tables=(Table(name="readings", primary_key=("id",), suite="bench_readings"),),
)
