"""Many times at once are the same microseconds as one by one, whatever forms they have."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.extract.decoding.instants import UnstorableTimeError, since_1970

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
ZONES = st.timedeltas(min_value=dt.timedelta(hours=-23), max_value=dt.timedelta(hours=23)).map(
    lambda offset: dt.timezone(dt.timedelta(minutes=offset // dt.timedelta(minutes=1)))
)
TIMES = st.datetimes(timezones=st.just(dt.UTC) | ZONES).filter(lambda time: 1 < time.year < dt.MAXYEAR)
WHOLE = TIMES.map(lambda time: time.replace(microsecond=0))


def one_by_one(times: list[dt.datetime]) -> pl.Series:
    return pl.Series(values=[(time - EPOCH) // MICROSECOND for time in times], dtype=pl.Int64)


@given(st.lists(TIMES, max_size=40) | st.lists(WHOLE, max_size=40))
def test_any_times(times: list[dt.datetime]) -> None:
    assert since_1970(times).equals(one_by_one(times))


SECOND, HOUR = dt.timedelta(seconds=1), dt.timedelta(hours=1)
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "times",
    [
        [NOW + n * SECOND for n in range(70_000)],
        [NOW + n * SECOND + MICROSECOND for n in range(2_000)],
        [NOW - n * dt.timedelta(days=20) for n in range(2_000)],
        [NOW + n * dt.timedelta(milliseconds=1) for n in range(3_000)],
        # Forms of 6 and of 15 bytes that are 10 on the average.
        [dt.datetime(1960, 1, 1, tzinfo=dt.UTC)] * 4 + [NOW] * 5,
        [NOW + n * HOUR + n % 2 * MICROSECOND for n in range(999)],
    ],
    ids=["whole seconds", "fractions", "on both sides of 1970", "milliseconds", "like another", "by turns"],
)
def test_times_of_one_form_and_of_several(times: list[dt.datetime]) -> None:
    assert since_1970(times).equals(one_by_one(times))


WEST, EAST = dt.timezone(-5 * HOUR), dt.timezone(5 * HOUR)


@pytest.mark.parametrize("others", [0, 1, 2_000])
@pytest.mark.parametrize(
    "time",
    [
        dt.datetime(9999, 12, 31, 19, tzinfo=WEST),
        dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, WEST),
        dt.datetime(1, 1, 1, 4, 59, 59, 999_999, EAST),
    ],
    ids=str,
)
def test_a_time_beyond_the_years_that_are_stored_is_noticed(time: dt.datetime, others: int) -> None:
    with pytest.raises(UnstorableTimeError):
        since_1970([*[NOW] * others, time])


def test_the_first_and_the_last_moment_are_stored() -> None:
    times = [dt.datetime(1, 1, 1, 5, tzinfo=EAST), dt.datetime(9999, 12, 31, 18, 59, 59, 999_999, WEST)]
    assert since_1970(times).equals(one_by_one(times))
