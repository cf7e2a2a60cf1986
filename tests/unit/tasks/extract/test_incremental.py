import datetime as dt
from typing import Annotated, Any

import polars as pl
import pytest
from msgspec import Meta, Struct

from tasks.errors import ConfigurationError
from tasks.extract.columns import Columns
from tasks.extract.incremental import CursorWatch, cursor_params
from tasks.pipeline import Incremental, Resource
from tests.unit.tasks.extract.fake_api import NOW

HOURLY = Incremental(field="updated_at", param="since", lag=dt.timedelta(hours=1))


class Aware(Struct):
    updated_at: dt.datetime | None


class Naive(Struct):
    updated_at: Annotated[dt.datetime, Meta(tz=False)]


class Dated(Struct):
    updated_at: dt.date


class Numbered(Struct):
    updated_at: int


def watch(record: type[Struct], *values: Any) -> str | None:
    resource = Resource(name="r", path="/r", record=record, incremental=HOURLY)
    schema = Columns("r", record).schema
    cursor = CursorWatch(resource, schema, NOW)
    for value in values:
        cursor.watch(pl.DataFrame({"updated_at": [value]}, schema=schema))
    return cursor.greatest


def test_nothing_is_asked_for_on_a_first_load() -> None:
    assert cursor_params(HOURLY, None) == {}
    assert cursor_params(None, "2013-01-01T00:00:00Z") == {}


@pytest.mark.parametrize(
    ("cursor", "sent"),
    [
        ("2013-01-01T05:00:00Z", "2013-01-01T04:00:00Z"),
        ("2013-01-01T05:00:00.000001Z", "2013-01-01T04:00:00.000001Z"),
        ("2013-01-01T05:00:00+02:00", "2013-01-01T02:00:00Z"),
        ("2013-01-01T05:00:00.5", "2013-01-01T04:00:00.500000"),
        ("2013-01-02", "2013-01-02"),
    ],
)
def test_the_cursor_less_the_lag_is_sent_in_its_own_form(cursor: str, sent: str) -> None:
    assert cursor_params(HOURLY, cursor) == {"since": sent}


def test_a_cursor_that_is_no_time_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'yesterday'"):
        cursor_params(HOURLY, "yesterday")


def test_the_greatest_value_is_kept_over_batches() -> None:
    early, late = dt.datetime(2013, 1, 1, tzinfo=dt.UTC), dt.datetime(2013, 1, 1, 0, 0, 0, 1, tzinfo=dt.UTC)
    assert watch(Aware, early, late, None, early) == "2013-01-01T00:00:00.000001Z"


def test_values_from_the_future_do_not_move_the_cursor() -> None:
    skew = dt.timedelta(minutes=5)
    far = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
    assert watch(Aware, NOW + skew, NOW + skew + dt.timedelta(microseconds=1), far) == (
        "2026-01-02T03:09:05.678901Z"
    )
    assert watch(Aware, far) is None


def test_naive_times_and_dates_can_be_cursors() -> None:
    assert watch(Naive, dt.datetime(2013, 1, 1, 1), dt.datetime(9999, 1, 1)) == "2013-01-01T01:00:00"  # noqa: DTZ001
    assert watch(Dated, dt.date(2013, 1, 1), dt.date(9999, 1, 1)) == "2013-01-01"


def test_a_cursor_field_that_holds_no_times_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="must hold times or dates"):
        watch(Numbered)


def test_a_mistyped_cursor_field_is_refused_with_the_nearest_name() -> None:
    mistyped = Incremental(field="update_at", param="since")
    resource = Resource(name="r", path="/r", record=Aware, incremental=mistyped)
    with pytest.raises(ConfigurationError, match="Did you mean 'updated_at'"):
        CursorWatch(resource, Columns("r", Aware).schema, NOW)
