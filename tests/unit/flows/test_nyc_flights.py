"""From the records of the demo API to tables: names, units, moments."""

import datetime as dt

import polars as pl
import pytest

from flows.pipelines.nyc_flights import pipeline, tidy
from tasks.pipeline import Resource

UTC = dt.UTC


def make_flight(**changes: object) -> pl.LazyFrame:
    """A flight that left La Guardia late in the evening, and after midnight."""
    flight = {
        "id": 1,
        "dep_time": 14,
        "sched_dep_time": 2350,
        "dep_delay": 24,
        "arr_time": 210,
        "sched_arr_time": 146,
        "arr_delay": 24,
        "carrier": "UA",
        "flight": 1545,
        "tailnum": "N14228",
        "origin": "LGA",
        "dest": "IAH",
        "air_time": 210,
        "distance": 1400,
        "minute": 50,
        "time_hour": dt.datetime(2013, 7, 2, 3, tzinfo=UTC),
        "updated_at": dt.datetime(2013, 7, 2, 3, tzinfo=UTC),
    }
    schema = {"dep_time": pl.Int64, "dep_delay": pl.Int64, "air_time": pl.Int64}
    return pl.LazyFrame([flight | changes], schema_overrides=schema)


def tidy_flight(**changes: object) -> dict[str, object]:
    (row,) = tidy({"flights": make_flight(**changes)})["flights"].collect().to_dicts()
    return row


def test_flight_belongs_to_the_local_day_of_its_scheduled_departure() -> None:
    flight = tidy_flight()
    assert flight["flight_date"] == dt.date(2013, 7, 1)
    assert flight["sched_dep_at"] == dt.datetime(2013, 7, 2, 3, 50, tzinfo=UTC)
    assert flight["dep_at"] == dt.datetime(2013, 7, 2, 4, 14, tzinfo=UTC)


def test_ground_speed_is_miles_per_hour() -> None:
    assert tidy_flight()["ground_speed_mph"] == 400


def test_cancelled_flight_has_no_actual_departure() -> None:
    flight = tidy_flight(dep_time=None, dep_delay=None, air_time=None)
    assert flight["is_cancelled"] is True
    assert flight["dep_at"] is None
    assert flight["ground_speed_mph"] is None


@pytest.mark.parametrize("resource", ["flights", "weather"])
def test_only_the_frames_at_hand_are_made_into_tables(resource: str) -> None:
    assert list(tidy({resource: pl.LazyFrame()})) == [resource]


def _fields_of(resource: Resource) -> tuple[str, ...]:
    assert resource.record is not None
    return resource.record.__struct_fields__


def test_all_tables_keep_their_keys_version_and_cursor() -> None:
    frames = {
        resource.name: pl.LazyFrame(
            schema=dict.fromkeys(_fields_of(resource), pl.Int64) | {"time_hour": pl.Datetime("us", "UTC")}
        )
        for resource in pipeline.resources
    }
    tables = tidy(frames)
    for table in pipeline.tables:
        columns = tables[table.name].collect_schema().names()
        assert {*table.primary_key, "updated_at"} <= set(columns)
