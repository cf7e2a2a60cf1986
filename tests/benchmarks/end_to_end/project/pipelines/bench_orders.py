"""A small pipeline: one page of 100 orders, one of them wrong."""

import datetime as dt

import msgspec

from tasks.pipeline import Frames, PageNumber, Pipeline, Resource, RestApi, Table


class Order(msgspec.Struct, frozen=True):
    """An order as the API sends it."""

    id: int
    total: float
    country: str
    ordered_at: dt.datetime
    note: str | None


def tidy(frames: Frames) -> Frames:
    """One row per order; `id` unique."""
    return {"orders": frames["orders"].rename({"total": "total_eur"})}


pipeline = Pipeline(
    name="bench_orders",
    source=RestApi(base_url="http://127.0.0.1:1"),
    resources=(
        Resource(
            name="orders",
            path="/orders",
            records="data",
            record=Order,
            paginator=PageNumber(page_size=100, total_pages="pages"),
        ),
    ),
    transform=tidy,
    tables=(Table(name="orders", primary_key=("id",), suite="bench_orders"),),
)
