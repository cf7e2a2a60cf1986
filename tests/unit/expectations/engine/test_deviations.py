"""The list of deviations: every restatement is of use, and none explains a wrong answer."""

from __future__ import annotations

import datetime as dt
import warnings
from copy import deepcopy
from typing import Any

import polars as pl
import pytest
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.row_conditions import Column

from expectations.engine import validate_frame
from tests.unit.expectations.engine.deviations import explain
from tests.unit.expectations.engine.difference import Difference
from tests.unit.expectations.engine.frames import gxe
from tests.unit.expectations.engine.oracle import differences, validate_on_pandas
from tests.unit.expectations.engine.restating import RESTATEMENTS

FRAME = pl.DataFrame(
    {
        "day": [dt.date(2024, 2, 29), dt.date(2024, 3, 1)],
        "fine": pl.Series([dt.datetime(2024, 2, 29), dt.datetime(2024, 2, 29)], dtype=pl.Datetime("ns")),  # noqa: DTZ001  (has no zone)
        "length": [dt.timedelta(hours=1), dt.timedelta(hours=-2)],
        "time": [dt.time(8), dt.time(7, 30)],
        "flag": [True, False],
        "n": [1, 2],
        "twice": [dt.datetime(2024, 10, 27, hour, 30, tzinfo=dt.UTC) for hour in (0, 1)],
    }
).with_columns(paris=pl.col("twice").dt.convert_time_zone("Europe/Paris"))
QUESTIONS: dict[str, Any] = {
    "Dates, times and durations in a suite are text": gxe.ExpectColumnMaxToBeBetween(
        column="day", max_value="2024-03-01"
    ),
    "Sets of durations": gxe.ExpectColumnDistinctValuesToBeInSet(column="length", value_set=["1:00:00"]),
    "Nanoseconds": gxe.ExpectColumnMostCommonValueToBeInSet(column="fine", value_set=["2024-02-29"]),
    "Zones": gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord(column_list=["twice", "paris"]),
    "Times of day": gxe.ExpectColumnValuesToBeIncreasing(column="time"),
    "The row condition of pairs in a set": gxe.ExpectColumnPairValuesToBeInSet(
        column_A="n", column_B="day", value_pairs_set=[(2, "2024-03-02")], row_condition=Column("n") > 1
    ),
    "Outliers among booleans": gxe.ExpectColumnValuesToNotBeOutliers(column="flag"),
}


@pytest.mark.parametrize("name", RESTATEMENTS)
def test_a_restatement_explains_an_answer_and_not_its_reverse(name: str) -> None:
    expectation = QUESTIONS[name]
    suite = ExpectationSuite(name="suite", expectations=[expectation])
    [ours] = validate_frame(FRAME, suite, result_format="COMPLETE").results
    wrong = deepcopy(ours)
    wrong.success = not ours.success
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GX on pandas warns of its own pandas calls
        theirs = validate_on_pandas(FRAME, expectation, "COMPLETE")
        assert differences(ours, theirs) != []
        assert explain(Difference(FRAME, expectation, ours, theirs)) == name
        assert explain(Difference(FRAME, expectation, wrong, theirs)) is None
