"""Moments and durations are measured as GX on pandas measures them."""

from __future__ import annotations

import datetime as dt
import warnings
from typing import Any

import polars as pl
import pytest
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.expectation import Expectation

from expectations.engine import validate_frame
from tests.unit.expectations.engine.frames import gxe
from tests.unit.expectations.engine.oracle import differences, raised, validate_on_pandas

HOURS = [0, 1, 1, 2, 1, 400, None]
MOMENTS = [
    None if hours is None else dt.datetime(2024, 2, 29, tzinfo=dt.UTC) + dt.timedelta(hours=hours, seconds=1)
    for hours in HOURS
]
FRAME = pl.DataFrame(
    {
        "moment": pl.Series(MOMENTS).dt.replace_time_zone(None),
        "milli": pl.Series(MOMENTS).dt.replace_time_zone(None).cast(pl.Datetime("ms")),
        "zoned": pl.Series(MOMENTS).dt.convert_time_zone("Europe/Paris"),
        "day": pl.Series(MOMENTS).dt.date(),
        "length": [None if hours is None else dt.timedelta(hours=hours) for hours in HOURS],
        "text": ["2024-02-29", "2024-03-01 06:00", None, None, None, None, None],
    }
)


def ask(expectation: Expectation) -> tuple[Any, Any]:
    """The result here and on pandas."""
    suite = ExpectationSuite(name="suite", expectations=[expectation])
    [ours] = validate_frame(FRAME, suite, result_format="COMPLETE").results
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ours, validate_on_pandas(FRAME, expectation, "COMPLETE")


@pytest.mark.parametrize("column", ["moment", "milli", "zoned", "day", "length"])
def test_they_have_z_scores_and_a_standard_deviation(column: str) -> None:
    far = gxe.ExpectColumnValueZScoresToBeLessThan(column=column, threshold=2, double_sided=True)
    ours, theirs = ask(far)
    assert ours.result["unexpected_index_list"] == [5]
    assert differences(ours, theirs) == []
    ours, theirs = ask(gxe.ExpectColumnStdevToBeBetween(column=column))
    assert ours.success
    assert differences(ours, theirs) == []


def test_durations_have_a_sum() -> None:
    ours, theirs = ask(gxe.ExpectColumnSumToBeBetween(column="length"))
    assert ours.result["observed_value"] == "P16DT21H"
    assert differences(ours, theirs) == []


@pytest.mark.parametrize(
    ("greatest", "succeeds"),
    [("2024-03-01", True), ("2024-02-28", False), ("2024-03-01 05:00", False), ("2024-03-01 06:00", True)],
)
def test_text_is_read_as_the_date_or_moment_of_its_bound(greatest: str, *, succeeds: bool) -> None:
    ours, theirs = ask(gxe.ExpectColumnMaxToBeBetween(column="text", max_value=greatest))
    assert ours.success == succeeds
    assert differences(ours, theirs) == []


def test_text_that_is_no_date_has_no_place_between_dates() -> None:
    frame = FRAME.select(text=pl.lit("some day"))
    suite = ExpectationSuite(
        name="suite", expectations=[gxe.ExpectColumnMaxToBeBetween(column="text", max_value="2024-03-01")]
    )
    assert raised(validate_frame(frame, suite).results[0])
