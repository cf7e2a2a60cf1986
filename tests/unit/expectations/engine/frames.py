"""A frame as it comes from an API: nulls, NaN, unicode; and a suite that looks at all of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import great_expectations.expectations as _gxe
import polars as pl
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.row_conditions import Column

gxe: Any = _gxe  # GX does not mark its expectations as exported

SCHEMA = pl.Schema(
    {
        "i": pl.Int64(),
        "j": pl.Int64(),
        "f": pl.Float64(),
        "s": pl.String(),
        "t": pl.Datetime("us"),
        "b": pl.Boolean(),
        "g": pl.String(),
    }
)

_NOON = dt.datetime(2024, 2, 29, 12)  # noqa: DTZ001  (the column has no zone)
_IN_X = Column("g") == "x"


def row_level() -> list[Expectation]:
    """Expectations about single rows."""
    return [
        *[gxe.ExpectColumnValuesToNotBeNull(column=name) for name in "ifst"],
        gxe.ExpectColumnValuesToBeNull(column="f", row_condition=_IN_X),
        *[gxe.ExpectColumnValuesToBeUnique(column=name) for name in "ijfst"],
        gxe.ExpectColumnValuesToBeUnique(column="i", row_condition=_IN_X, mostly=0.5),
        gxe.ExpectColumnValuesToBeInSet(column="i", value_set=[0, 1, 2.0, 2.5, "1"]),
        gxe.ExpectColumnValuesToBeInSet(column="s", value_set=["a", "é", 1, None], row_condition=_IN_X),
        gxe.ExpectColumnValuesToNotBeInSet(column="f", value_set=[0, 1.0]),
        gxe.ExpectColumnValuesToBeBetween(column="i", min_value=0, max_value=2),
        gxe.ExpectColumnValuesToBeBetween(column="f", min_value=0, strict_min=True, mostly=0.4),
        gxe.ExpectColumnValuesToBeBetween(column="t", min_value=_NOON),
        gxe.ExpectColumnValuesToMatchRegex(column="s", regex="^[aA]$"),
        gxe.ExpectColumnValuesToNotMatchRegex(column="s", regex=r"\d|(?=b)"),
        gxe.ExpectColumnValuesToMatchRegexList(column="s", regex_list=["^a", "b$"], match_on="all"),
        gxe.ExpectColumnValueLengthsToBeBetween(column="s", min_value=1, max_value=2),
        gxe.ExpectColumnValueLengthsToEqual(column="s", value=1, row_condition=Column("j") > 0),
        gxe.ExpectColumnValuesToBeIncreasing(column="f"),
        gxe.ExpectColumnValuesToBeDecreasing(column="i", strictly=True, row_condition=_IN_X),
        gxe.ExpectColumnValuesToBeIncreasing(column="t", strictly=True),
        gxe.ExpectColumnValuesToMatchStrftimeFormat(column="s", strftime_format="%d"),
        gxe.ExpectColumnValuesToBeDateutilParseable(column="s"),
        gxe.ExpectColumnValuesToBeJsonParseable(column="s"),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="i", column_B="f", or_equal=True),
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="i", column_B="f", ignore_row_if="either_value_is_missing"
        ),
        gxe.ExpectColumnPairValuesToBeInSet(column_A="j", column_B="g", value_pairs_set=[(0, "x"), (1, "y")]),
        gxe.ExpectColumnPairValuesToBeInSet(
            column_A="j", column_B="g", value_pairs_set=[], ignore_row_if="neither"
        ),
        gxe.ExpectColumnValuesToBeInSet(column="j", value_set=[]),
        gxe.ExpectColumnValuesToNotBeInSet(column="j", value_set=[]),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["i", "g"]),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["i", "s"], row_condition=_IN_X, ignore_row_if="any_value_is_missing"
        ),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["f", "s"], ignore_row_if="never"),
        gxe.ExpectColumnValueZScoresToBeLessThan(column="f", threshold=1, double_sided=True),
        gxe.ExpectColumnValueZScoresToBeLessThan(column="j", threshold=-0.5, double_sided=False),
        gxe.ExpectColumnValuesToNotBeOutliers(column="f", method="iqr", multiplier=0.5),
        gxe.ExpectColumnValuesToNotBeOutliers(column="i", method="std", multiplier=1, row_condition=_IN_X),
        gxe.ExpectMulticolumnSumToEqual(column_list=["i", "f"], sum_total=2),
        gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord(column_list=["i", "j"], ignore_row_if="never"),
    ]


def aggregates() -> list[Expectation]:
    """Expectations about a column or the table."""
    quantiles = {"quantiles": [0.1, 0.25, 0.5, 0.75, 1.0], "value_ranges": [[-1, 1]] * 5}
    return [
        *[gxe.ExpectColumnMaxToBeBetween(column=name, min_value=0, max_value=2) for name in "if"],
        *[gxe.ExpectColumnMinToBeBetween(column=name, min_value=0, row_condition=_IN_X) for name in "if"],
        *[gxe.ExpectColumnMeanToBeBetween(column=name, min_value=0, max_value=2) for name in "if"],
        *[gxe.ExpectColumnMedianToBeBetween(column=name, min_value=0, max_value=2) for name in "if"],
        *[gxe.ExpectColumnSumToBeBetween(column=name, min_value=0, max_value=2) for name in "if"],
        *[gxe.ExpectColumnStdevToBeBetween(column=name, min_value=0, max_value=2) for name in "if"],
        *[gxe.ExpectColumnUniqueValueCountToBeBetween(column=name, max_value=2) for name in "ifst"],
        gxe.ExpectColumnProportionOfUniqueValuesToBeBetween(column="s", min_value=0.5),
        gxe.ExpectColumnProportionOfNonNullValuesToBeBetween(column="i", min_value=0.5),
        *[gxe.ExpectColumnQuantileValuesToBeBetween(column=name, quantile_ranges=quantiles) for name in "jf"],
        *[gxe.ExpectColumnMostCommonValueToBeInSet(column=name, value_set=[0, "a"]) for name in "js"],
        gxe.ExpectColumnDistinctValuesToBeInSet(column="j", value_set=[0, 1, 2]),
        gxe.ExpectColumnDistinctValuesToContainSet(column="s", value_set=["a", "é"]),
        gxe.ExpectColumnDistinctValuesToEqualSet(column="g", value_set=["x", "y"]),
        gxe.ExpectTableRowCountToBeBetween(min_value=1, max_value=5),
        gxe.ExpectTableColumnsToMatchSet(column_set=list(SCHEMA)),
    ]


def _mixed() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "i": [1, 1, None, 3, 2, 3, None, 0],
            "j": [0, 1, 2, 1, -1, 3, 3, 1],
            "f": [1.0, None, float("nan"), 2.0, -1.5, 2.0, 0.0, 1.0],
            "s": ["a", "é", None, "e\u0301", "A\n", "a", "", "12"],
            "t": [_NOON, None, _NOON, _NOON + dt.timedelta(days=1), None, _NOON, None, _NOON],
            "b": [True, False] * 4,
            "g": ["x", "x", "y", "y", "x", "x", "y", "x"],
        },
        schema=SCHEMA,
    )


MIXED = _mixed()
