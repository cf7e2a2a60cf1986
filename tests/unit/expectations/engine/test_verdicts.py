"""Which expectations have row verdicts, and what surprises in them. The law is in `test_differential`."""

from __future__ import annotations

import polars as pl
import pytest
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.row_conditions import Column, PassThroughCondition

from expectations.engine import NotRowLevelError, RowConditionError, is_row_level, unexpected_rows_expr
from tests.unit.expectations.engine.frames import MIXED, aggregates, gxe


@pytest.mark.parametrize("expectation", aggregates(), ids=lambda expectation: expectation.expectation_type)
def test_an_expectation_about_a_whole_has_no_row_verdict(expectation: Expectation) -> None:
    assert not is_row_level(expectation)
    with pytest.raises(NotRowLevelError, match="judges no single rows"):
        unexpected_rows_expr(expectation, MIXED)


@pytest.mark.parametrize(
    "expectation",
    [
        gxe.ExpectColumnValuesToBeOfType(column="i", type_="int"),
        gxe.ExpectColumnValuesToBeInTypeList(column="i", type_list=["int"]),
    ],
)
def test_the_type_of_a_column_is_no_row_verdict(expectation: Expectation) -> None:
    assert not is_row_level(expectation)


def test_every_copy_is_unexpected_and_only_inside_of_the_condition() -> None:
    frame = pl.DataFrame({"k": [1, 1, 2, 2, None, None], "g": ["x", "x", "x", "y", "x", "x"]})
    expectation = gxe.ExpectColumnValuesToBeUnique(column="k", row_condition=Column("g") == "x")
    verdict = frame.select(unexpected_rows_expr(expectation, frame)).to_series()
    assert verdict.to_list() == [True, True, False, False, False, False]


def test_a_pair_obeys_its_row_condition() -> None:
    expectation = gxe.ExpectColumnPairValuesToBeInSet(
        column_A="j", column_B="g", value_pairs_set=[(0, "x")], row_condition=Column("g") == "y"
    )
    verdict = MIXED.select(unexpected_rows_expr(expectation, MIXED.schema)).to_series()
    assert verdict.to_list() == (MIXED["g"] == "y").to_list()


def test_unknown_columns_are_named() -> None:
    with pytest.raises(Exception, match='column "nope"'):
        unexpected_rows_expr(gxe.ExpectColumnValuesToNotBeNull(column="nope"), MIXED.schema)


def test_a_condition_beyond_the_subset_is_refused() -> None:
    condition = PassThroughCondition(pass_through_filter="i.abs() > 1")
    expectation = gxe.ExpectColumnValuesToNotBeNull(column="i", row_condition=condition)
    with pytest.raises(RowConditionError, match=r"'i.abs\(\)' is not supported"):
        unexpected_rows_expr(expectation, MIXED.schema)
