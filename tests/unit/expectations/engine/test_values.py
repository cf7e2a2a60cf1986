"""What values mean, where GX on pandas is no oracle: it raises, or pandas has no such type."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.row_conditions import Column

from expectations.engine import unexpected_rows_expr, validate_frame
from expectations.engine.to_pandas import to_pandas
from tests.unit.expectations.engine.frames import gxe
from tests.unit.expectations.engine.oracle import raised

FRAME = pl.DataFrame(
    {
        "moment": [dt.datetime(2024, 2, 29, 12), dt.datetime(2024, 3, 1)],  # noqa: DTZ001  (has no zone)
        "day": [dt.date(2024, 2, 29), dt.date(2024, 3, 1)],
        "time": [dt.time(8), dt.time(9, 30)],
        "length": [dt.timedelta(hours=1), dt.timedelta(hours=2)],
        "price": [Decimal("1.10"), Decimal("2.20")],
        "size": pl.Series(["small", "large"], dtype=pl.Enum(["small", "large"])),
        "wide": [2**63 - 1, 2**63 - 1],
        "x": [1.0, 2.0],
    }
).with_columns(zoned=pl.col("moment").dt.replace_time_zone("Europe/Paris"))


def ask(expectation: Any, frame: pl.DataFrame | pl.LazyFrame = FRAME) -> Any:
    suite = ExpectationSuite(name="suite", expectations=[expectation])
    [result] = validate_frame(frame, suite, result_format="COMPLETE").results
    json.dumps(result.to_json_dict())
    return result


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        ("moment", dt.date(2024, 2, 29), dt.date(2024, 3, 1)),
        ("moment", "2024-02-29", "2024-03-01"),
        ("zoned", "2024-02-29", "2024-03-01T00:00:00+01:00"),
        ("day", "2024-02-29", "2024-03-01 06:00"),
        ("price", 1.1, 2.2),
    ],
)
def test_bounds_are_read_as_the_kind_of_the_column(column: str, low: Any, high: Any) -> None:
    bounds = {"column": column, "min_value": low, "max_value": high}
    for make in (gxe.ExpectColumnMaxToBeBetween, gxe.ExpectColumnMinToBeBetween):
        assert ask(make(**bounds)).success
    assert ask(gxe.ExpectColumnValuesToBeBetween(**bounds)).success
    ranges = {"quantiles": [0.0, 1.0], "value_ranges": [[low, high]] * 2}
    assert ask(gxe.ExpectColumnQuantileValuesToBeBetween(column=column, quantile_ranges=ranges)).success


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("moment", "2024-02-29 12:00"),
        ("zoned", "2024-02-29T11:00:00Z"),
        ("day", "2024-02-29"),
        ("time", "8:00"),
        ("length", "1:00:00"),
        ("price", 1.1),
        ("size", "small"),
    ],
)
def test_members_of_a_set_are_read_as_the_kind_of_the_column(column: str, value: Any) -> None:
    sets = {"column": column, "value_set": [value, "no such value"]}
    in_set = ask(gxe.ExpectColumnValuesToBeInSet(**sets))
    assert in_set.result["unexpected_index_list"] == [1]
    assert ask(gxe.ExpectColumnDistinctValuesToBeInSet(**sets)).result["unexpected_count"] == 1
    assert ask(gxe.ExpectColumnMostCommonValueToBeInSet(**sets, ties_okay=True)).success


@pytest.mark.parametrize("column", ["moment", "day", "time", "length"])
def test_a_misspelt_value_lets_no_row_pass(column: str) -> None:
    forbidden = gxe.ExpectColumnValuesToNotBeInSet(column=column, value_set=["no such value"])
    elsewhere = gxe.ExpectColumnValuesToNotBeNull(
        column="x", row_condition=Column(column).is_in(["no such value"])
    )
    assert raised(ask(forbidden))
    assert raised(ask(elsewhere))


@pytest.mark.parametrize("value", [10**20, 1.123, 10**37, float("inf"), -(10.0**30)])
@pytest.mark.parametrize("dtype", [pl.Decimal(10, 2), pl.Decimal(38, 10), pl.Decimal(2, 2)])
def test_a_number_that_a_decimal_cannot_hold_is_no_member(value: float, dtype: pl.Decimal) -> None:
    frame = pl.DataFrame({"price": pl.Series([Decimal("0.00"), Decimal("0.25")], dtype=dtype)})
    for members, missing in (([value, 0], [1]), ([value, 0.25], [0])):
        in_set = ask(gxe.ExpectColumnValuesToBeInSet(column="price", value_set=members), frame)
        assert in_set.result["unexpected_index_list"] == missing


def test_nothing_lies_beyond_a_bound_that_is_nan() -> None:
    nan = float("nan")
    assert ask(gxe.ExpectColumnValuesToBeBetween(column="x", max_value=nan)).result["unexpected_count"] == 2
    assert not ask(gxe.ExpectColumnMaxToBeBetween(column="x", max_value=nan)).success


def test_a_coarse_unit_cuts_nothing_off_a_finer_one() -> None:
    late = dt.datetime(2024, 2, 29, 23, 59, 59, 999_999)  # noqa: DTZ001  (has no zone)
    frame = pl.DataFrame({"fine": [late]}).with_columns(coarse=pl.col("fine").cast(pl.Datetime("ms")))
    equal = gxe.ExpectMulticolumnValuesToBeEqual(column_list=["coarse", "fine"])
    assert ask(equal, frame).result["unexpected_count"] == 1
    assert not ask(gxe.ExpectColumnValuesToBeBetween(column="coarse", min_value=late), frame).success
    assert not ask(gxe.ExpectColumnValuesToBeInSet(column="coarse", value_set=[late]), frame).success


def test_a_date_and_its_text_are_one_value_of_a_set() -> None:
    missing = dt.datetime(2024, 2, 28)  # noqa: DTZ001  (has no zone)
    twice = gxe.ExpectColumnDistinctValuesToContainSet(
        column="moment", value_set=["2024-02-28", missing, "2024-02-29 12:00"]
    )
    assert ask(twice).result["partial_missing_list"] == [missing]


def test_categories_are_listed_in_the_order_of_text() -> None:
    none = gxe.ExpectColumnDistinctValuesToBeInSet(column="size", value_set=["huge"])
    assert ask(none).result["partial_unexpected_list"] == ["large", "small"]
    common = gxe.ExpectColumnMostCommonValueToBeInSet(column="size", value_set=["huge"])
    assert ask(common).result["observed_value"] == ["large", "small"]


def test_what_a_column_must_not_hold_is_listed_and_nothing_else() -> None:
    names = [f"name {number:03}" for number in range(400)]
    frame = pl.LazyFrame({"name": names * 3})  # streamed: there, what is without order has another each time
    few = gxe.ExpectColumnDistinctValuesToBeInSet(column="name", value_set=names[:390])
    assert ask(few, frame).result["partial_unexpected_list"] == names[390:]


def test_counts_of_values_are_those_of_their_values() -> None:
    names = [f"name {number:03}" for number in range(200) for _ in range(number + 1)]
    frame = pl.LazyFrame({"name": names})
    weights = [(number + 1) / len(names) for number in range(200)]
    even = gxe.ExpectColumnKLDivergenceToBeLessThan(
        column="name",
        partition_object={"values": list(dict.fromkeys(names)), "weights": weights},
        threshold=1e-9,
    )
    result = ask(even, frame)
    assert result.success
    observed = result.result["details"]["observed_partition"]
    assert observed["values"] == list(dict.fromkeys(names))
    assert observed["weights"] == pytest.approx(weights)


@pytest.mark.parametrize("how", ["lower", "higher", "nearest"])
def test_truth_values_have_ranks(how: str) -> None:
    frame = pl.DataFrame({"is": [False, None, True, True, False]})
    ranks = {"quantiles": [0.0, 0.5, 1.0], "value_ranges": [[None, True], [False, True], [True, True]]}
    quantiles = gxe.ExpectColumnQuantileValuesToBeBetween(
        column="is", quantile_ranges=ranks, allow_relative_error=how
    )
    result = ask(quantiles, frame)
    # The middle lies between the second and the third of four; to the nearest, the even rank is taken.
    assert result.result["observed_value"]["values"] == [False, how != "lower", True]


def test_sums_do_not_overflow() -> None:
    assert ask(gxe.ExpectColumnSumToBeBetween(column="wide")).result["observed_value"] == 2 * (2**63 - 1)
    total = gxe.ExpectMulticolumnSumToEqual(column_list=["wide", "twin"], sum_total=2 * (2**63 - 1))
    assert ask(total, FRAME.with_columns(twin="wide")).success


def test_unlike_kinds_are_never_equal_and_have_no_order() -> None:
    pair = {"column_A": "day", "column_B": "x"}
    assert ask(gxe.ExpectColumnPairValuesToBeEqual(**pair)).result["unexpected_count"] == 2
    assert raised(ask(gxe.ExpectColumnPairValuesAToBeGreaterThanB(**pair)))
    assert raised(ask(gxe.ExpectColumnValuesToBeBetween(column="x", min_value=dt.date(2024, 1, 1))))


def test_what_is_not_tested_cannot_fail_a_test() -> None:
    frame = pl.DataFrame({"s": ["{", "1"], "g": ["x", "y"]})
    schema = {"column": "s", "json_schema": {"type": "integer"}}
    assert raised(ask(gxe.ExpectColumnValuesToMatchJsonSchema(**schema), frame))
    assert ask(
        gxe.ExpectColumnValuesToMatchJsonSchema(**schema, row_condition=Column("g") == "y"), frame
    ).success


def test_z_scores_and_outliers_name_their_rows() -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, 3.0, 2.0, 1.0, 2.0, 50.0, None]})
    for expectation in (
        gxe.ExpectColumnValueZScoresToBeLessThan(column="x", threshold=2, double_sided=True),
        gxe.ExpectColumnValuesToNotBeOutliers(column="x"),
    ):
        verdict = frame.lazy().with_columns(bad=unexpected_rows_expr(expectation, frame)).collect()["bad"]
        assert verdict.arg_true().to_list() == ask(expectation, frame).result["unexpected_index_list"] == [6]


TWICE = pl.DataFrame(
    {"t": [dt.datetime(2024, 10, 27, hour, 30, tzinfo=dt.UTC) for hour in (0, 1)]}
).with_columns(pl.col("t").dt.convert_time_zone("Europe/Paris"))


def test_the_hour_that_a_clock_shows_twice_is_two_moments() -> None:
    later = "2024-10-27T01:30:00Z"
    assert not ask(gxe.ExpectColumnMinToBeBetween(column="t", min_value=later), TWICE).success
    assert not ask(gxe.ExpectColumnMaxToBeBetween(column="t", max_value="2024-10-27T00:30Z"), TWICE).success
    common = gxe.ExpectColumnMostCommonValueToBeInSet(column="t", value_set=[later])
    assert not ask(common, TWICE.head(1)).success
    pairs = gxe.ExpectColumnPairValuesToBeEqual(column_A="t", column_B="n")
    for unmet in (pairs, gxe.ExpectColumnValuesToBeNull(column="t")):
        counts = ask(unmet, TWICE.with_columns(n=1)).result["partial_unexpected_counts"]
        assert [entry["count"] for entry in counts] == [1, 1]
    missing = gxe.ExpectColumnDistinctValuesToContainSet(column="t", value_set=["2024-10-27T00:30Z", later])
    assert ask(missing, TWICE.clear()).result["missing_count"] == 2


def test_the_hour_that_a_clock_shows_twice_is_two_moments_on_pandas_too() -> None:
    converted = to_pandas(TWICE)["t"]
    assert [str(moment) for moment in converted] == ["2024-10-27 02:30:00+02:00", "2024-10-27 02:30:00+01:00"]
