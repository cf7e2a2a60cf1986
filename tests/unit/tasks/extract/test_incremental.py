import datetime as dt
from typing import Annotated, Any

import polars as pl
import pytest
from msgspec import Meta, Struct
from pydantic import ValidationError

from tasks.errors import ConfigurationError
from tasks.extract.incremental import CursorWatch, cursor_params, cursor_url, cursor_windows
from tasks.pipeline import Incremental, Resource, SyncToken
from tests.unit.tasks.extract.fake_api import NOW

HOURLY = Incremental(field="updated_at", param="since", lag=dt.timedelta(hours=1))
NOON = dt.datetime(2024, 1, 2, 12, 30, 45, 678901, tzinfo=dt.UTC)


class Aware(Struct):
    updated_at: dt.datetime | None


class Naive(Struct):
    updated_at: Annotated[dt.datetime, Meta(tz=False)]


class Dated(Struct):
    updated_at: dt.date


class Numbered(Struct):
    updated_at: int


class Named(Struct):
    updated_at: str


SCHEMAS = {
    Aware: pl.Datetime("us", "UTC"),
    Naive: pl.Datetime("us"),
    Dated: pl.Date(),
    Numbered: pl.Int64(),
    Named: pl.String(),
}


def watch(record: type[Struct], *values: Any, incremental: Incremental = HOURLY) -> str | None:
    resource = Resource(name="r", path="/r", record=record, incremental=incremental)
    schema = pl.Schema({"updated_at": SCHEMAS[record]})
    cursor = CursorWatch(resource, schema, NOW)
    for value in values:
        cursor.watch(pl.DataFrame({"updated_at": [value]}, schema=schema))
    return cursor.greatest


def ask(cursor: str | None = None, **declared: Any) -> dict[str, str]:
    return cursor_params(Incremental(**({"field": "updated_at", "param": "since"} | declared)), cursor)


def test_nothing_is_asked_for_on_a_first_load() -> None:
    assert cursor_params(HOURLY, None) == {}
    assert cursor_params(None, "2013-01-01T00:00:00Z") == {}


def test_a_first_load_begins_at_the_declared_value() -> None:
    assert ask(first=dt.date(2024, 1, 1)) == {"since": "2024-01-01"}
    assert ask(first=NOON, lag=dt.timedelta(days=3), format="date") == {"since": "2024-01-02"}
    assert ask(first=17) == {"since": "17"}


@pytest.mark.parametrize(
    ("cursor", "sent"),
    [
        ("2013-01-01T05:00:00Z", "2013-01-01T04:00:00Z"),
        ("2013-01-01T05:00:00.000001Z", "2013-01-01T04:00:00.000001Z"),
        ("2013-01-01T05:00:00+02:00", "2013-01-01T02:00:00Z"),
        ("2013-01-01T05:00:00.5", "2013-01-01T04:00:00.500000"),
        ("2013-01-02", "2013-01-02"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0001-01-01", "0001-01-01"),
    ],
)
def test_the_cursor_less_the_lag_is_sent_in_its_own_form(cursor: str, sent: str) -> None:
    assert cursor_params(HOURLY, cursor) == {"since": sent}


@pytest.mark.parametrize(
    ("form", "sent"),
    [
        ("iso", "2024-01-02T12:30:45.678901Z"),
        ("date", "2024-01-02"),
        ("epoch_s", "1704198645"),
        ("epoch_ms", "1704198645678"),
        ("%Y-%m-%dT%H:%M:%SZ", "2024-01-02T12:30:45Z"),
        ("%d.%m.%Y", "02.01.2024"),
    ],
)
def test_the_cursor_is_sent_in_the_declared_form_and_never_later_than_it_is(form: str, sent: str) -> None:
    assert ask("2024-01-02T12:30:45.678901Z", format=form) == {"since": sent}


def test_a_number_less_a_number_is_sent_as_one() -> None:
    assert ask("1000", lag=10) == {"since": "990"}
    assert ask("-5") == {"since": "-5"}


@pytest.mark.parametrize(
    ("cursor", "form", "sent"),
    [
        ("41", None, "40"),
        ("2024-01-02", None, "2024-01-01"),
        ("2024-01-02T12:30:45Z", None, "2024-01-02T12:30:44.999999Z"),
        ("2024-01-02T12:30:45Z", "epoch_s", "1704198644"),
        ("2024-01-02T12:30:45Z", "epoch_ms", "1704198644999"),
        ("2024-01-02T12:30:45Z", "%Y-%m-%dT%H:%M:%SZ", "2024-01-02T12:30:44Z"),
        ("2024-01-02T12:30:45Z", "%Y-%m-%d %H:%M", "2024-01-02 12:29"),
        ("2024-01-02T12:30:45Z", "date", "2024-01-01"),
    ],
)
def test_an_api_that_gives_what_comes_after_is_asked_from_one_unit_before(
    cursor: str, form: str | None, sent: str
) -> None:
    assert ask(cursor, bound="exclusive", format=form) == {"since": sent}


@pytest.mark.parametrize(
    ("declared", "cursor", "said"),
    [
        ({}, "yesterday", "'yesterday'"),
        ({"lag": dt.timedelta(hours=1)}, "1000", "for whole numbers it is one"),
        ({"lag": 10}, "2024-01-02", "a lag is a timedelta"),
        ({"format": "epoch_s"}, "1000", "a whole number, which cannot be sent as 'epoch_s'"),
        ({"format": "integer"}, "2024-01-02", "a time or date, which cannot be sent as 'integer'"),
    ],
)
def test_a_cursor_that_does_not_fit_the_declaration_is_refused(
    declared: dict[str, Any], cursor: str, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        ask(cursor, **declared)


@pytest.mark.parametrize(
    "declared",
    [
        {"param": None},
        {"window": dt.timedelta(days=1)},
        {"window": dt.timedelta(0), "until_param": "to", "first": NOON},
        {"until_param": "to", "first": 5},
        {"lag": dt.timedelta(-1)},
        {"lag": -1},
        {"format": "rfc"},
    ],
)
def test_a_declaration_that_cannot_work_is_refused(declared: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ask(**declared)


def test_without_a_window_everything_is_asked_for_at_once_up_to_now() -> None:
    both = Incremental(field="updated_at", param="from", until_param="to")
    assert cursor_windows(both, "2026-01-02T00:00:00Z", NOW) == [
        {"from": "2026-01-02T00:00:00Z", "to": "2026-01-02T03:04:05.678901Z"}
    ]
    assert cursor_windows(both, None, NOW) == [{"to": "2026-01-02T03:04:05.678901Z"}]
    assert cursor_windows(HOURLY, None, NOW) == [{}]


def test_windows_leave_no_gap_and_end_now() -> None:
    daily = Incremental(
        field="updated_at",
        param="from",
        until_param="to",
        first=dt.datetime(2025, 12, 31, tzinfo=dt.UTC),
        window=dt.timedelta(days=1),
        format="epoch_s",
    )
    windows = cursor_windows(daily, None, NOW)
    assert [window["from"] for window in windows[1:]] == [window["to"] for window in windows[:-1]]
    assert windows[0]["from"] == "1767139200"
    assert [int(window["to"]) - int(window["from"]) for window in windows] == [86400, 86400, 11045]


def test_windows_of_dates_end_today() -> None:
    weekly = Incremental(
        field="updated_at",
        param="from",
        until_param="to",
        first=dt.date(2025, 12, 20),
        window=dt.timedelta(days=7),
    )
    assert cursor_windows(weekly, None, NOW) == [
        {"from": "2025-12-20", "to": "2025-12-27"},
        {"from": "2025-12-27", "to": "2026-01-02"},
    ]
    with pytest.raises(ConfigurationError, match="no step between the dates"):
        cursor_windows(weekly.model_copy(update={"window": dt.timedelta(hours=5)}), None, NOW)


def test_a_token_is_sent_as_a_parameter_or_is_the_address() -> None:
    named = SyncToken(path="nextSyncToken", param="syncToken")
    assert cursor_params(named, "abc") == {"syncToken": "abc"}
    assert cursor_params(named, None) == {}
    assert cursor_url(named, "abc") is None
    link = SyncToken(path='["@odata.deltaLink"]')
    assert cursor_params(link, "https://a.test/delta?t=1") == {}
    assert cursor_url(link, "https://a.test/delta?t=1") == "https://a.test/delta?t=1"


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


def test_naive_times_dates_and_numbers_can_be_cursors() -> None:
    assert watch(Naive, dt.datetime(2013, 1, 1, 1), dt.datetime(9999, 1, 1)) == "2013-01-01T01:00:00"  # noqa: DTZ001
    assert watch(Dated, dt.date(2013, 1, 1), dt.date(9999, 1, 1)) == "2013-01-01"
    assert watch(Numbered, 5, 1000, 7) == "1000"


def test_a_cursor_field_that_holds_text_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="must hold times, dates or whole numbers"):
        watch(Named)


def test_a_mistyped_cursor_field_is_refused_with_the_nearest_name() -> None:
    mistyped = Incremental(field="update_at", param="since")
    with pytest.raises(ConfigurationError, match="Did you mean 'updated_at'"):
        watch(Aware, incremental=mistyped)
