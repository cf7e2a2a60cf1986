"""The same expectation on the same rows: the engine against GX on pandas, row verdicts against counts."""

from __future__ import annotations

import warnings
from typing import Any

import polars as pl
import pytest
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.expectation import Expectation
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from expectations.engine import is_row_level, unexpected_rows_expr, validate_frame
from tests.unit.expectations.engine.frames import FRAMES, MIXED, SCHEMA, aggregates, row_level
from tests.unit.expectations.engine.oracle import differences, validate_on_pandas

COMPLETE = {"result_format": "COMPLETE"}
# Explaining a failure traces every line of GX: minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
LAW = settings(max_examples=100, deadline=None, derandomize=True, phases=PHASES)

EMPTY = pl.DataFrame(schema=SCHEMA)
ALL_NULL = pl.DataFrame([dict.fromkeys(SCHEMA) | {"j": 1, "b": True, "g": "x"}] * 3, schema=SCHEMA)


def _validate(frame: pl.DataFrame | pl.LazyFrame, expectations: list[Expectation]) -> list[Any]:
    suite = ExpectationSuite(name="suite", expectations=expectations)
    return list(validate_frame(frame, suite, result_format=COMPLETE).results)


def _disagreement(frame: pl.DataFrame, expectation: Expectation, ours: Any) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GX on pandas warns of its own pandas calls
        return differences(ours, validate_on_pandas(frame, expectation, COMPLETE))


@pytest.mark.parametrize("frame", [EMPTY, ALL_NULL, MIXED], ids=["empty", "all null", "mixed"])
def test_a_suite_gives_the_results_of_gx_on_pandas(frame: pl.DataFrame) -> None:
    expectations = row_level() + aggregates()
    differing = {
        str(expectation.configuration): found
        for expectation, ours in zip(expectations, _validate(frame, expectations), strict=True)
        if (found := _disagreement(frame, expectation, ours))
    }
    assert differing == {}


@pytest.mark.parametrize("frame", [EMPTY, ALL_NULL, MIXED], ids=["empty", "all null", "mixed"])
def test_a_stream_gives_the_results_of_a_frame(frame: pl.DataFrame) -> None:
    expectations = row_level() + aggregates()
    streamed = _validate(frame.lazy(), expectations)
    for left, right in zip(streamed, _validate(frame, expectations), strict=True):
        assert differences(left, right) == []


@LAW
@given(FRAMES, st.sampled_from(row_level() + aggregates()))
def test_results_are_those_of_gx_on_pandas(frame: pl.DataFrame, expectation: Expectation) -> None:
    [ours] = _validate(frame, [expectation])
    assert _disagreement(frame, expectation, ours) == []


@LAW
@given(FRAMES, st.sampled_from(row_level()))
def test_row_verdicts_are_the_unexpected_rows(frame: pl.DataFrame, expectation: Expectation) -> None:
    [result] = _validate(frame, [expectation])
    assert is_row_level(expectation)
    expr = unexpected_rows_expr(expectation, frame.schema)
    verdict = frame.lazy().with_columns(expr.alias("verdict")).collect().get_column("verdict")
    assert verdict.dtype == pl.Boolean
    assert verdict.null_count() == 0
    assert verdict.sum() == result.result["unexpected_count"]
    assert verdict.arg_true().to_list() == result.result["unexpected_index_list"]
