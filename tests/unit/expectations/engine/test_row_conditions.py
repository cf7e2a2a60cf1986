"""Row conditions select the rows that pandas selects."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.row_conditions import Column

from expectations.engine import RowConditionError
from expectations.engine.columns import Columns
from expectations.engine.row_conditions import parse_row_condition
from expectations.engine.to_pandas import to_pandas
from tests.unit.expectations.engine.frames import MIXED

FRAME = MIXED.with_columns(pl.col("j").alias("two words"))


def rows(condition: Any) -> list[int]:
    expr = parse_row_condition(condition, Columns.of(FRAME))
    assert expr is not None
    verdict = FRAME.select(expr).to_series()
    assert verdict.null_count() == 0
    return verdict.arg_true().to_list()


@pytest.mark.parametrize(
    "query",
    [
        "i == 1",
        "i != 1",
        "f > 0 and j <= 2",
        "f > 0 or g == 'y'",
        "i > 0 & j < 3",
        "i == 1 | j == 1 & g == 'x'",
        "not i == 1",
        "~(f > 0)",
        "0 < j <= 2",
        "2 >= j",
        "s in ['a', 'é']",
        "s not in ['a', 'é']",
        "i in (1, 3)",
        "`two words` == 1",
        "i + j > 2",
        "-j < 0",
        "j * 2 - 1 >= f / 2",
        "i == j",
        "i != j",
        "i.isnull()",
        "s.notnull() and not f.isna()",
        "b",
        "not b",
        "b == True",
        "t > '2024-02-29'",
        '  g == "x"  ',
    ],
)
def test_a_query_selects_what_pandas_selects(query: str) -> None:
    assert rows(query) == list(to_pandas(FRAME).query(query).index)


@pytest.mark.parametrize(
    "condition",
    [
        Column("i") == 1,
        Column("i") != 1,
        Column("f") >= 1,
        Column("s").is_in(["a", "é"]),
        Column("i").is_not_in([1, 3]),
        Column("i").is_null(),
        Column("f").is_not_null(),
        (Column("g") == "x") & (Column("j") < 3),
        (Column("g") == "x") | (Column("f") < 1),
    ],
    ids=repr,
)
def test_a_condition_selects_what_gx_on_pandas_selects(condition: Any) -> None:
    query = PandasExecutionEngine().condition_to_filter_clause(condition)
    assert rows(condition) == rows(condition.dict()) == list(to_pandas(FRAME).query(query).index)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("i ==", "is no valid query"),
        ("nope == 1", "no column 'nope'"),
        ("i.sum() > 1", "'i.sum\\(\\)' is not supported"),
        ("__import__('os').getcwd() == 1", "is not supported"),
        ("@x == 1", "is no valid query"),
        ("i", "'i' is not supported"),
        ("i in 'abc'", "is not supported"),
        ("s[0] == 'a'", "is not supported"),
        ("i is None", "is not supported"),
        ("(lambda: 1)()", "is not supported"),
    ],
)
def test_a_query_beyond_the_subset_is_refused(query: str, problem: str) -> None:
    with pytest.raises(RowConditionError, match=problem):
        rows(query)
