"""Flights from the airports of New York City in 2013, with planes, airports, airlines and the weather.

The API is `deployments/local/api`; what is wrong in its data, and what the suites do about it, is in
`docs/nyc_flights.md`.
"""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import msgspec
import polars as pl

from tasks.pipeline import (
    Bearer,
    Frames,
    Incremental,
    PageNumber,
    Pipeline,
    Report,
    Resource,
    RestApi,
    Table,
)

_NEW_YORK = "America/New_York"


class Airline(msgspec.Struct, frozen=True):
    """A carrier as the API sends it."""

    id: int
    carrier: str
    name: str
    updated_at: dt.datetime


class Airport(msgspec.Struct, frozen=True):
    """An airport as the API sends it: degrees, feet, hours from UTC."""

    id: int
    faa: str
    name: str
    lat: float
    lon: float
    alt: int
    tz: int
    dst: str
    tzone: str | None
    updated_at: dt.datetime


class Plane(msgspec.Struct, frozen=True):
    """A plane of the FAA's registry as the API sends it: `speed` is its cruising speed in mph."""

    id: int
    tailnum: str
    year: int | None
    type: str
    manufacturer: str
    model: str
    engines: int
    seats: int
    speed: int | None
    engine: str
    updated_at: dt.datetime


class WeatherHour(msgspec.Struct, frozen=True):
    """An hour's observation as the API sends it: °F, mph, inches, mbar, miles; a local date and hour."""

    id: int
    origin: str
    year: int
    month: int
    day: int
    hour: int
    temp: float | None
    dewp: float | None
    humid: float | None
    wind_dir: int | None
    wind_speed: float | None
    wind_gust: float | None
    precip: float
    pressure: float | None
    visib: float
    time_hour: dt.datetime
    updated_at: dt.datetime


class Flight(msgspec.Struct, frozen=True):
    """A scheduled flight as the API sends it.

    Times of day are local where they happen, written as numbers: 517 is 05:17. Delays and `air_time` are
    in minutes, `distance` in miles. `time_hour` is the scheduled hour of departure.
    """

    id: int
    year: int
    month: int
    day: int
    dep_time: int | None
    sched_dep_time: int
    dep_delay: int | None
    arr_time: int | None
    sched_arr_time: int
    arr_delay: int | None
    carrier: str
    flight: int
    tailnum: str | None
    origin: str
    dest: str
    air_time: int | None
    distance: int
    hour: int
    minute: int
    time_hour: dt.datetime
    updated_at: dt.datetime


def tidy(frames: Frames) -> Frames:
    """Name and type what the API sends, one table from each resource, row by row.

    Units are in the names. `*_at` are moments in UTC; `*_hhmm` are local times of day as the API writes
    them, 2400 being midnight at the day's end. Keys: `airlines` carrier, `airports` faa, `planes` tailnum,
    `weather` origin and time_hour, `flights` id.
    """
    return {name: _TIDY[name](frame) for name, frame in frames.items()}


def tidy_airlines(airlines: pl.LazyFrame) -> pl.LazyFrame:
    """One row per airline; `carrier` unique."""
    return airlines.select("carrier", "name", "updated_at")


def tidy_airports(airports: pl.LazyFrame) -> pl.LazyFrame:
    """One row per airport; `faa` unique. `dst` is A (as in the US), N (none) or U (unknown)."""
    return airports.select(
        "faa",
        "name",
        lat_deg="lat",
        lon_deg="lon",
        altitude_ft="alt",
        utc_offset_h="tz",
        dst="dst",
        tzone="tzone",
        updated_at="updated_at",
    )


def tidy_planes(planes: pl.LazyFrame) -> pl.LazyFrame:
    """One row per plane; `tailnum` unique. `cruise_speed_mph` is known for 23 of them."""
    return planes.select(
        "tailnum",
        "type",
        "manufacturer",
        "model",
        year_built="year",
        engine_type="engine",
        engine_count="engines",
        seat_count="seats",
        cruise_speed_mph="speed",
        updated_at="updated_at",
    )


def tidy_weather(weather: pl.LazyFrame) -> pl.LazyFrame:
    """One row per airport and hour; (`origin`, `time_hour`) unique.

    The local hour is not a key: the night when the clocks go back has one hour twice. `month` is the local
    one. `wind_gust_mph` is null unless there are gusts.
    """
    return weather.select(
        "origin",
        "time_hour",
        "month",
        temp_f="temp",
        dew_point_f="dewp",
        humidity_pct="humid",
        wind_dir_deg="wind_dir",
        wind_speed_mph="wind_speed",
        wind_gust_mph="wind_gust",
        precip_in="precip",
        pressure_mbar="pressure",
        visibility_mi="visib",
        updated_at="updated_at",
    )


def tidy_flights(flights: pl.LazyFrame) -> pl.LazyFrame:
    """One row per scheduled flight; `id` unique.

    `flight_date` is the local day of the scheduled departure, never null. A cancelled flight has no actual
    times; one that was diverted has a departure but no `arr_delay_min` and no `air_time_min`.
    """
    # From `time_hour` and not from year, month and day: one record with a 13th month would end the load.
    flight_date = pl.col("time_hour").dt.convert_time_zone(_NEW_YORK).dt.date()
    sched_dep_at = pl.col("time_hour") + pl.duration(minutes="minute")
    return flights.select(
        "id",
        "carrier",
        "tailnum",
        "origin",
        "dest",
        "time_hour",
        flight_date=flight_date,
        flight_number="flight",
        is_cancelled=pl.col("dep_time").is_null(),
        sched_dep_at=sched_dep_at,
        dep_at=sched_dep_at + pl.duration(minutes="dep_delay"),
        sched_dep_hhmm="sched_dep_time",
        dep_hhmm="dep_time",
        sched_arr_hhmm="sched_arr_time",
        arr_hhmm="arr_time",
        dep_delay_min="dep_delay",
        arr_delay_min="arr_delay",
        air_time_min="air_time",
        distance_mi="distance",
        ground_speed_mph=pl.col("distance") / pl.col("air_time") * 60,
        updated_at="updated_at",
    )


_TIDY: dict[str, Callable[[pl.LazyFrame], pl.LazyFrame]] = {
    "airlines": tidy_airlines,
    "airports": tidy_airports,
    "planes": tidy_planes,
    "weather": tidy_weather,
    "flights": tidy_flights,
}


_PAGES = PageNumber(page_size=1000, total_pages="pages", total_records="total")
_CHANGES = Incremental(field="updated_at", param="updated_since")


def _resource(name: str, record: type[msgspec.Struct]) -> Resource:
    return Resource(name=name, path=f"/{name}", record=record, paginator=_PAGES, incremental=_CHANGES)


def _table(name: str, *primary_key: str) -> Table:
    return Table(name=name, primary_key=primary_key, version_by="updated_at")


pipeline = Pipeline(
    name="nyc_flights",
    description="Flights from New York City in 2013, with planes, airports, airlines and the weather.",
    source=RestApi(
        base_url="http://127.0.0.1:8713",
        auth=Bearer(secret="nyc-flights-token"),  # noqa: S106 - the secret's name
    ),
    resources=(
        _resource("airlines", Airline),
        _resource("airports", Airport),
        _resource("planes", Plane),
        _resource("weather", WeatherHour),
        _resource("flights", Flight),
    ),
    transform=tidy,
    streamable=True,
    tables=(
        _table("airlines", "carrier"),
        _table("airports", "faa"),
        _table("planes", "tailnum"),
        _table("weather", "origin", "time_hour"),
        _table("flights", "id"),
    ),
    reports=(
        Report(
            name="daily_delays",
            table="flights",
            sql=Path(__file__).with_name("daily_delays.sql"),
            group_by=("flight_date", "carrier"),
        ),
    ),
)
