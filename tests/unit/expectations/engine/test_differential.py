"""The same expectation on the same rows here and on pandas. `differential.py` is the long trial."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from great_expectations.expectations.expectation import Expectation
from hypothesis import Phase, given, settings

from tests.unit.expectations.engine import random_row_tests, random_suites
from tests.unit.expectations.engine.differential import (
    COMPLETE,
    Question,
    answer_both,
    random_questions,
    validate,
)
from tests.unit.expectations.engine.frames import MIXED, SCHEMA, aggregates, gxe, row_level
from tests.unit.expectations.engine.oracle import differences, validate_on_pandas

LAW = settings(
    max_examples=80,
    derandomize=True,
    database=None,
    # Explaining a failure traces every line of GX: minutes.
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)

EMPTY = pl.DataFrame(schema=SCHEMA)
ALL_NULL = pl.DataFrame([dict.fromkeys(SCHEMA) | {"j": 1, "b": True, "g": "x"}] * 3, schema=SCHEMA)


def _ask_pandas(frame: pl.DataFrame, expectation: Expectation) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GX on pandas warns of its own pandas calls
        return validate_on_pandas(frame, expectation, COMPLETE)


@pytest.mark.parametrize("frame", [EMPTY, ALL_NULL, MIXED], ids=["empty", "all null", "mixed"])
def test_a_suite_gives_the_results_of_gx_on_pandas(frame: pl.DataFrame) -> None:
    expectations = row_level() + aggregates()
    differing = {
        str(expectation.configuration): found
        for expectation, ours in zip(expectations, validate(frame, expectations), strict=True)
        if (found := differences(ours, _ask_pandas(frame, expectation)))
    }
    assert differing == {}


@pytest.mark.parametrize("frame", [EMPTY, ALL_NULL, MIXED], ids=["empty", "all null", "mixed"])
def test_a_stream_gives_the_results_of_a_frame(frame: pl.DataFrame) -> None:
    expectations = row_level() + aggregates()
    streamed = validate(frame.lazy(), expectations)
    for left, right in zip(streamed, validate(frame, expectations), strict=True):
        assert differences(left, right) == []


@LAW
@given(asked=random_questions())
def test_any_random_expectation_is_answered_as_gx_on_pandas_or_as_documented(asked: Question) -> None:
    assert answer_both(asked)[1] == []


def test_every_expectation_that_gx_has_for_pandas_is_asked() -> None:
    modules = (random_row_tests, random_suites)
    source = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules)
    elsewhere = ("Like", "Query", "OtherTable")  # pandas has none of them; they have tests of their own
    retired = {"ExpectMulticolumnValuesToBeUnique"}  # GX says itself that it does nothing
    exported = {name for name in vars(gxe) if name.startswith("Expect")} - {"Expectation"} - retired
    assert {
        name for name in exported if name not in source and not any(word in name for word in elsewhere)
    } == set()


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
@pytest.mark.parametrize("dtype", [pl.Datetime, pl.Date])
def test_moments_that_a_set_holds_as_text_are_listed_as_gx_reads_them(
    zone: str | None, dtype: type[pl.DataType]
) -> None:
    moments = pl.Series(["2024-02-29T12:00:00", None]).str.to_datetime().dt.replace_time_zone(zone)
    frame = pl.DataFrame({"a": moments.cast(dtype) if dtype == pl.Date else moments})
    missing = ["2024-03-01", "2024-03-01T00:00:00", "1 March 2024 10:00", "x"]
    for make in (gxe.ExpectColumnDistinctValuesToEqualSet, gxe.ExpectColumnDistinctValuesToContainSet):
        expectation = make(column="a", value_set=missing)
        [ours] = validate(frame, [expectation], COMPLETE)
        assert differences(ours, _ask_pandas(frame, expectation)) == []
