from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.row_conditions import Column
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.engine import copies, validate_frame
from expectations.engine.columns import Columns
from expectations.engine.domain import Domain, RowTest
from expectations.engine.metrics.row_tests import ROW_TESTS
from tests.unit.expectations.engine.frames import gxe

_ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(0, 3),
        st.none() | st.sampled_from(["a", "b", "long enough to be kept apart", ""]),
        st.none() | st.sampled_from([0.0, -0.0, float("nan"), 1.5]),
        st.sampled_from(["x", "y"]),
    ),
    max_size=12,
)
_SCHEMA = {"i": pl.Int64, "s": pl.String, "f": pl.Float64, "g": pl.String}
_DOMAINS: list[dict[str, Any]] = [
    {"column": "i"},
    {"column": "s", "row_condition": Column("g") == "x"},
    {"column": "f"},
    {"column_list": ["i", "s"]},
    {"column_list": ["i", "f"], "row_condition": Column("g") == "x", "ignore_row_if": "any_value_is_missing"},
]


def _tests(frame: pl.DataFrame) -> list[RowTest]:
    return [
        ROW_TESTS["column_values.unique" if "column" in kwargs else "compound_columns.unique"](
            Domain.of(kwargs, Columns.of(frame)), {}
        )
        for kwargs in _DOMAINS
    ]


def _collide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give all keys one of two hashes."""
    original: Callable[[RowTest], pl.Expr] = copies._hash_of
    monkeypatch.setattr(copies, "_hash_of", lambda test: original(test) % 2)


@pytest.mark.parametrize("limits", [{}, {"HASHES_BYTES": 16, "GROUPS": 1}, {"LISTED": 0}])
@pytest.mark.parametrize("collide", [False, True])
def test_copies_are_those_that_polars_finds(
    limits: dict[str, int], collide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in limits.items():
        monkeypatch.setattr(copies, name, value)
    if collide:
        _collide(monkeypatch)

    @settings(max_examples=15)
    @given(_ROWS)
    def check(rows: list[tuple[Any, ...]]) -> None:
        frame = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
        found = copies.count_copies(frame.lazy(), frame.height, _tests(frame), pl.LazyFrame.collect)
        for test, result in found.items():
            expected = frame.select(test.unexpected).to_series()
            assert result.count == expected.sum()
            if result.unexpected is not None:
                assert frame.select(result.unexpected).to_series().to_list() == expected.to_list()

    check()


def test_copies_among_many_rows_are_listed_in_the_order_of_the_frame() -> None:
    frame = pl.LazyFrame({"n": [*range(1000), 7, 3]}).with_columns(t=pl.col("n").cast(pl.String))
    suite = ExpectationSuite(
        name="s",
        expectations=[
            gxe.ExpectColumnValuesToBeUnique(column="n"),
            gxe.ExpectColumnValuesToBeUnique(column="t"),
        ],
    )
    numbers, texts = validate_frame(frame, suite).results
    assert numbers.result["partial_unexpected_list"] == [3, 7, 7, 3]
    assert texts.result["partial_unexpected_list"] == ["3", "7", "7", "3"]
    assert numbers.result["unexpected_count"] == texts.result["unexpected_count"] == 4


def test_uniqueness_takes_one_pass_more_and_examples_another(monkeypatch: pytest.MonkeyPatch) -> None:
    collects: list[pl.LazyFrame] = []
    collect = pl.LazyFrame.collect

    def count(plan: pl.LazyFrame, **kwargs: Any) -> Any:
        collects.append(plan)
        return collect(plan, **kwargs)

    monkeypatch.setattr(pl.LazyFrame, "collect", count)
    frame = pl.LazyFrame({"a": [1, 2, 3], "b": ["x", "y", "z"], "c": [1, 1, 2]})
    sound = [
        *(gxe.ExpectColumnValuesToBeUnique(column=name) for name in "ab"),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["a", "c"]),
        gxe.ExpectColumnMaxToBeBetween(column="a", max_value=3),
    ]
    assert validate_frame(frame, ExpectationSuite(name="s", expectations=sound)).success
    assert len(collects) == 2

    collects.clear()
    copies_in_c = gxe.ExpectColumnValuesToBeUnique(column="c")
    result = validate_frame(frame, ExpectationSuite(name="s", expectations=[*sound, copies_in_c]))
    assert [each.success for each in result.results] == [True] * 4 + [False]
    assert len(collects) == 4  # counts, hashes, the keys behind repeated hashes, examples
