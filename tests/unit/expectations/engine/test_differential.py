"""The same expectation on the same rows: the engine against GX on pandas.

`ASSAY_EXAMPLES=5000 pytest -s -k random` runs the long trial and prints its figures; `ASSAY_SEED` varies it.
"""

from __future__ import annotations

import json
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.expectation import Expectation
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from expectations.engine import is_row_level, unexpected_rows_expr, validate_frame
from tests.unit.expectations.engine import random_row_tests, random_suites
from tests.unit.expectations.engine.deviations import Difference, explain
from tests.unit.expectations.engine.frames import MIXED, SCHEMA, aggregates, gxe, row_level
from tests.unit.expectations.engine.oracle import differences, raised, validate_on_pandas
from tests.unit.expectations.engine.random_arguments import RESULT_FORMATS
from tests.unit.expectations.engine.random_frames import Sample, samples
from tests.unit.expectations.engine.random_suites import questions

COMPLETE = {"result_format": "COMPLETE"}
EXAMPLES = int(os.environ.get("ASSAY_EXAMPLES", "80"))
LONG = "ASSAY_EXAMPLES" in os.environ
LAW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not LONG,
    database=None,
    # Explaining a failure traces every line of GX: minutes.
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck) if LONG else [],
)

EMPTY = pl.DataFrame(schema=SCHEMA)
ALL_NULL = pl.DataFrame([dict.fromkeys(SCHEMA) | {"j": 1, "b": True, "g": "x"}] * 3, schema=SCHEMA)


def _validate(
    frame: pl.DataFrame | pl.LazyFrame, expectations: list[Expectation], form: Any = COMPLETE
) -> list[Any]:
    suite = ExpectationSuite(name="suite", expectations=expectations)
    return list(validate_frame(frame, suite, result_format=form).results)


def _ask_pandas(frame: pl.DataFrame, expectation: Expectation, form: Any = COMPLETE) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GX on pandas warns of its own pandas calls
        return validate_on_pandas(frame, expectation, form)


@pytest.mark.parametrize("frame", [EMPTY, ALL_NULL, MIXED], ids=["empty", "all null", "mixed"])
def test_a_suite_gives_the_results_of_gx_on_pandas(frame: pl.DataFrame) -> None:
    expectations = row_level() + aggregates()
    differing = {
        str(expectation.configuration): found
        for expectation, ours in zip(expectations, _validate(frame, expectations), strict=True)
        if (found := differences(ours, _ask_pandas(frame, expectation)))
    }
    assert differing == {}


@pytest.mark.parametrize("frame", [EMPTY, ALL_NULL, MIXED], ids=["empty", "all null", "mixed"])
def test_a_stream_gives_the_results_of_a_frame(frame: pl.DataFrame) -> None:
    expectations = row_level() + aggregates()
    streamed = _validate(frame.lazy(), expectations)
    for left, right in zip(streamed, _validate(frame, expectations), strict=True):
        assert differences(left, right) == []


@pytest.fixture(scope="module")
def tally() -> Iterator[Counter[str]]:
    found: Counter[str] = Counter()
    yield found
    if LONG:
        print("\n", *(f"{count:>6}  {name}\n" for name, count in found.most_common()))


@st.composite
def _asked(draw: st.DrawFn) -> tuple[Sample, Expectation, Any]:
    sample = draw(samples())
    return sample, draw(questions(sample)), draw(RESULT_FORMATS)


@seed(int(os.environ.get("ASSAY_SEED", "0")))
@LAW
@given(asked=_asked())
def test_any_random_expectation_is_answered_as_gx_on_pandas_or_as_documented(
    tally: Counter[str], asked: tuple[Sample, Expectation, Any]
) -> None:
    sample, expectation, form = asked
    [ours] = _validate(sample.frame, [expectation], form)
    json.dumps(ours.to_json_dict())
    theirs = _ask_pandas(sample.frame, expectation, form)
    tally["asked"] += 1
    if found := differences(ours, theirs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reason = explain(Difference(sample.frame, expectation, ours, theirs), form)
        assert reason is not None, found
        tally[f"deviates: {reason}"] += 1
    else:
        tally["the same, both raise" if raised(ours) else "the same"] += 1
    tally[expectation.expectation_type] += 1
    if is_row_level(expectation):
        _check_verdicts(sample.frame, expectation, tally)


def _check_verdicts(frame: pl.DataFrame, expectation: Expectation, tally: Counter[str]) -> None:
    [result] = _validate(frame.lazy(), [expectation])
    if raised(result):
        return
    expr = unexpected_rows_expr(expectation, frame.schema)
    verdict = frame.lazy().with_columns(expr.alias("verdict")).collect().get_column("verdict")
    assert verdict.dtype == pl.Boolean
    assert verdict.null_count() == 0
    assert verdict.sum() == result.result["unexpected_count"]
    assert verdict.arg_true().to_list() == result.result["unexpected_index_list"]
    tally["row verdicts are the unexpected rows"] += 1


def test_every_expectation_that_gx_has_for_pandas_is_asked() -> None:
    modules = (random_row_tests, random_suites)
    source = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules)
    elsewhere = ("Like", "Query", "OtherTable")  # pandas has none of them; they have tests of their own
    retired = {"ExpectMulticolumnValuesToBeUnique"}  # GX says itself that it does nothing
    exported = {name for name in vars(gxe) if name.startswith("Expect")} - {"Expectation"} - retired
    assert {
        name for name in exported if name not in source and not any(word in name for word in elsewhere)
    } == set()
