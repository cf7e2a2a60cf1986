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

LEAP_DAY = dt.datetime(2024, 2, 29)  # noqa: DTZ001  (has no zone)
FRAME = pl.DataFrame(
    {
        "day": [dt.date(2024, 2, 29), dt.date(2024, 3, 1)],
        "fine": pl.Series([LEAP_DAY, LEAP_DAY], dtype=pl.Datetime("ns")),
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
    "Nanoseconds": gxe.ExpectColumnMostCommonValueToBeInSet(column="fine", value_set=[LEAP_DAY]),
    "Zones": gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord(column_list=["twice", "paris"]),
    "Times of day": gxe.ExpectColumnValuesToBeIncreasing(column="time"),
    "Open ends": gxe.ExpectColumnQuantileValuesToBeBetween(
        column="day", quantile_ranges={"quantiles": [0.0], "value_ranges": [[None, LEAP_DAY]]}
    ),
    "The row condition of pairs in a set": gxe.ExpectColumnPairValuesToBeInSet(
        column_A="n", column_B="day", value_pairs_set=[(2, "2024-03-02")], row_condition=Column("n") > 1
    ),
    "Outliers among booleans": gxe.ExpectColumnValuesToNotBeOutliers(column="flag"),
}


TEXT, PAIRS = "Dates, times and durations in a suite are text", "The row condition of pairs in a set"
SEVERAL: dict[str, Any] = {
    f"{TEXT} + Open ends": gxe.ExpectColumnQuantileValuesToBeBetween(
        column="day", quantile_ranges={"quantiles": [0.0], "value_ranges": [[None, "2024-02-29"]]}
    ),
    f"{TEXT} + Nanoseconds": gxe.ExpectColumnPairValuesToBeInSet(
        column_A="fine", column_B="n", value_pairs_set=[("2024-02-29", 2)]
    ),
    f"Zones + {PAIRS}": gxe.ExpectColumnPairValuesToBeInSet(
        column_A="paris", column_B="n", value_pairs_set=[], row_condition=Column("n") > 1
    ),
}


def _ask(expectation: Any) -> Any:
    suite = ExpectationSuite(name="suite", expectations=[expectation])
    return validate_frame(FRAME, suite, result_format="COMPLETE").results[0]


def _ask_pandas(expectation: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GX on pandas warns of its own pandas calls
        return validate_on_pandas(FRAME, expectation, "COMPLETE")


def test_each_restatement_is_of_use() -> None:
    assert QUESTIONS.keys() == RESTATEMENTS.keys()


@pytest.mark.parametrize("names", [*QUESTIONS, *SEVERAL])
@pytest.mark.filterwarnings("ignore")  # GX on pandas warns of its own pandas calls
def test_a_restatement_explains_an_answer_and_not_its_reverse(names: str) -> None:
    expectation = (QUESTIONS | SEVERAL)[names]
    ours, theirs = _ask(expectation), _ask_pandas(expectation)
    wrong = deepcopy(ours)
    wrong.success = not ours.success
    assert differences(ours, theirs) != []
    assert explain(Difference(FRAME, expectation, ours, theirs)) == names
    assert explain(Difference(FRAME, expectation, wrong, theirs)) is None


def test_the_most_common_moment_in_a_zone_is_a_member_and_another_is_none() -> None:
    for text, is_member in (("2024-10-27T00:30:00Z", True), ("2024-10-27T02:30:00Z", False)):
        expectation = gxe.ExpectColumnMostCommonValueToBeInSet(
            column="paris", value_set=[text], row_condition=Column("n") == 1
        )
        ours, theirs = _ask(expectation), _ask_pandas(expectation)
        assert (ours.success, theirs.success) == (is_member, False)
        assert explain(Difference(FRAME, expectation, ours, theirs)) == "Zones"


@pytest.mark.filterwarnings("ignore")  # GX on pandas warns of its own pandas calls
def test_an_error_of_the_engine_is_not_explained_by_asking_otherwise() -> None:
    expectation = QUESTIONS["Sets of durations"]
    failed = deepcopy(_ask(expectation))
    failed.exception_info = {"raised_exception": True, "exception_message": "", "exception_traceback": ""}
    theirs = _ask_pandas(expectation)
    assert explain(Difference(FRAME, expectation, failed, theirs)) is None


def test_a_date_is_no_moment_though_pandas_has_no_other_type_for_it() -> None:
    for name in ("datetime64", "date"):
        expectation = gxe.ExpectColumnValuesToBeOfType(column="day", type_=name)
        ours, theirs = _ask(expectation), _ask_pandas(expectation)
        assert (ours.success, theirs.success) == (name == "date", name != "date")
        assert explain(Difference(FRAME, expectation, ours, theirs)) == "Names of types"


def test_durations_are_counted_in_another_order_and_not_otherwise() -> None:
    frame = pl.DataFrame({"length": [dt.timedelta(hours=-2), dt.timedelta(hours=-1)]})
    expectation = gxe.ExpectColumnValuesToBeNull(column="length")
    suite = ExpectationSuite(name="suite", expectations=[expectation])
    [ours] = validate_frame(frame, suite, result_format="COMPLETE").results
    theirs = validate_on_pandas(frame, expectation, "COMPLETE")
    wrong = deepcopy(ours)
    wrong.result["partial_unexpected_counts"][0]["count"] = 2
    assert differences(ours, theirs) != []
    assert explain(Difference(frame, expectation, ours, theirs)) == "The order of durations"
    assert explain(Difference(frame, expectation, wrong, theirs)) is None
