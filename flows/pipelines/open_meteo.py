"""The weather of Berlin hour by hour, from Open-Meteo's archive; free for non-commercial use, without a key.

https://open-meteo.com/en/docs/historical-weather-api : arrays of columns, asked for by year.
"""

import datetime as dt

import msgspec
import polars as pl

from tasks.pipeline import (
    ColumnArrays,
    EpochSeconds,
    Frames,
    Incremental,
    Pipeline,
    RateLimit,
    Resource,
    RestApi,
    SinglePage,
    Table,
)

_VARIABLES = ("temperature_2m", "relative_humidity_2m", "precipitation", "wind_speed_10m")


class Hour(msgspec.Struct, frozen=True):
    """An hour at the grid point that is nearest: °C, %, mm, km/h; null as long as it is not known."""

    time: EpochSeconds
    latitude: float
    longitude: float
    temperature_2m: float | None
    relative_humidity_2m: float | None
    precipitation: float | None
    wind_speed_10m: float | None


def tidy(frames: Frames) -> Frames:
    """One row per hour of which anything is known; (`lat_deg`, `lon_deg`, `time`) unique."""
    known = frames["hourly_weather"].filter(pl.any_horizontal(pl.col(*_VARIABLES).is_not_null()))
    hours = known.select(
        "time",
        lat_deg="latitude",
        lon_deg="longitude",
        temp_c="temperature_2m",
        humidity_pct="relative_humidity_2m",
        precip_mm="precipitation",
        wind_speed_kmh="wind_speed_10m",
    )
    return {"hourly_weather": hours}


pipeline = Pipeline(
    name="open_meteo",
    description="Berlin's weather by the hour since 2023; the latest days are filled in later.",
    source=RestApi(
        base_url="https://archive-api.open-meteo.com/v1", rate_limit=RateLimit(requests=5), timeout_s=60
    ),
    resources=(
        Resource(
            name="hourly_weather",
            path="/archive",
            params={
                "latitude": "52.52",
                "longitude": "13.41",
                "hourly": ",".join(_VARIABLES),
                "timeformat": "unixtime",
            },
            record=Hour,
            columns="discard",
            records=ColumnArrays(path="hourly", carry={"latitude": "latitude", "longitude": "longitude"}),
            paginator=SinglePage(),
            incremental=Incremental(
                field="time",
                param="start_date",
                until_param="end_date",
                format="date",
                first=dt.date(2023, 1, 1),
                window=dt.timedelta(days=366),
                lag=dt.timedelta(days=10),
            ),
        ),
    ),
    transform=tidy,
    streamable=True,
    tables=(Table(name="hourly_weather", primary_key=("lat_deg", "lon_deg", "time")),),
)
