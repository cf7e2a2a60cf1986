"""Euro foreign exchange reference rates of the European Central Bank; no key is needed.

https://data.ecb.europa.eu/help/api/data : SDMX as CSV, a row for each day and currency.
"""

import datetime as dt

import msgspec
import polars as pl

from tasks.pipeline import (
    CsvBody,
    Frames,
    Incremental,
    Pipeline,
    Resource,
    RestApi,
    SinglePage,
    Table,
)


class Observation(msgspec.Struct, frozen=True, rename="upper"):
    """An observation of the dataflow EXR: units of `currency` for one euro, as text; NaN on a holiday."""

    currency: str
    currency_denom: str
    time_period: dt.date
    obs_value: str | None
    obs_status: str | None


def tidy(frames: Frames) -> Frames:
    """One row per day and currency; (`time_period`, `currency`) unique. `rate` is exact, never null."""
    observed = frames["exchange_rates"].filter(
        pl.col("obs_value").is_not_null() & (pl.col("obs_value") != "NaN")
    )
    rates = observed.select(
        "time_period",
        "currency",
        base_currency="currency_denom",
        rate=pl.col("obs_value").cast(pl.Decimal(20, 8)),
        status="obs_status",
    )
    return {"exchange_rates": rates}


pipeline = Pipeline(
    name="ecb_rates",
    description="Daily euro reference rates of about thirty currencies since 2024.",
    source=RestApi(base_url="https://data-api.ecb.europa.eu/service", timeout_s=120),
    resources=(
        Resource(
            name="exchange_rates",
            path="/data/EXR/D..EUR.SP00.A",
            params={"format": "csvdata"},
            record=Observation,
            columns="discard",
            records=CsvBody(),
            paginator=SinglePage(),
            # The lag brings revisions, and at least one day: asked for a time without data, the API says 404.
            incremental=Incremental(
                field="time_period",
                param="startPeriod",
                first=dt.date(2024, 1, 1),
                lag=dt.timedelta(days=10),
            ),
        ),
    ),
    transform=tidy,
    streamable=True,
    tables=(Table(name="exchange_rates", primary_key=("time_period", "currency")),),
)
