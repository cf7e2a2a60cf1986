"""GX's own cases: the engine against GX on pandas, and against what the case says."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.registry import get_expectation_impl

from expectations.engine import validate_frame
from tests.unit.expectations.engine.cases import CASES, Case, read_cases
from tests.unit.expectations.engine.oracle import differences, raised, validate_on_pandas

RUNTIME = frozenset({"result_format", "catch_exceptions"})
COMPLETE = {"result_format": "COMPLETE"}

# Kept in step with docs/engine.md, which gives the reasons.
DEVIATIONS = frozenset(
    {
        "expect_column_values_to_be_of_type[0.10]",
        "expect_column_values_to_be_of_type[0.11]",
        "unexpected_rows_expectation[0.0]",
    }
)
RAN = 239
LEFT_OUT = {
    "for other backends only": 43,
    "the expectation no longer exists": 28,
    "GX refuses the arguments": 10,
    "the data has mixed types": 7,
    "suppressed by GX": 5,
}


@dataclass
class Outcome:
    """What became of all cases."""

    ran: int = 0
    deviations: dict[str, list[str]] = field(default_factory=dict)
    contradictions: dict[str, str] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    if not CASES.is_dir():
        pytest.skip("GX's cases are not beside this checkout (shared/gx-cases)")
    found = Outcome()
    for case in read_cases():
        expectation = _expectation(case)
        if isinstance(expectation, str):
            found.left_out[expectation] += 1
        else:
            _run(case, expectation, found)
    return found


def _expectation(case: Case) -> Expectation | str:
    if reason := case.left_out:
        return reason
    kwargs = {
        key: value
        for key, value in case.test["in"].items()
        if key not in {"result_format", "catch_exceptions"}
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # row conditions as strings
        try:
            return get_expectation_impl(case.expectation_type)(**kwargs)
        except ValueError:
            return "GX refuses the arguments"


def _run(case: Case, expectation: Expectation, found: Outcome) -> None:
    name = case.name.split(" ")[0]
    frame = case.frame()
    ours = validate_frame(
        frame, ExpectationSuite(name="case", expectations=[expectation]), result_format=COMPLETE
    )
    [result] = ours.results
    found.ran += 1
    if case.backend == "pandas" and (differs := differences(result, _ask_pandas(frame, expectation))):
        found.deviations[name] = differs
    if name in found.deviations or case.backend != "pandas":
        found.contradictions |= {} if _agrees(case, result) else {name: f"{case.test}: {result}"}


def _agrees(case: Case, result: Any) -> bool:
    if "error" in case.test:
        return raised(result)
    return bool(result.success == case.test["out"].get("success", result.success))


def _ask_pandas(frame: Any, expectation: Expectation) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GX on pandas warns of its own pandas calls
        return validate_on_pandas(frame, expectation, COMPLETE)


def test_cases_deviate_from_gx_on_pandas_only_where_documented(outcome: Outcome) -> None:
    assert outcome.deviations.keys() == DEVIATIONS, outcome.deviations


def test_cases_without_the_consent_of_gx_on_pandas_come_out_as_they_say(outcome: Outcome) -> None:
    assert outcome.contradictions == {}


def test_cases_that_ran_and_were_left_out_are_all_accounted_for(outcome: Outcome) -> None:
    assert (outcome.ran, dict(outcome.left_out)) == (RAN, LEFT_OUT)


def test_documentation_names_every_deviation() -> None:
    documentation = (Path(__file__).parents[4] / "docs/engine.md").read_text(encoding="utf-8")
    assert [name for name in DEVIATIONS if f"`{name}`" not in documentation] == []
