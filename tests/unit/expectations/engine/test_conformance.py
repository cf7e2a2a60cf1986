"""GX's own cases: every difference to GX on pandas has its reason in docs/engine.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.expectations.engine.cases import CASES, read_cases
from tests.unit.expectations.engine.conformance import (
    HERE_ALONE,
    SAME,
    UNEXPLAINED,
    Outcome,
    run_cases,
    table,
)
from tests.unit.expectations.engine.deviations import NAMES

DOCUMENTATION = Path(__file__).parents[4] / "docs/engine.md"


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    if not CASES.is_dir():
        pytest.skip("GX's cases are not beside this checkout (shared/gx-cases)")
    return run_cases(read_cases())


def test_every_case_that_comes_out_otherwise_is_explained(outcomes: list[Outcome]) -> None:
    assert [outcome for outcome in outcomes if outcome.verdict == UNEXPLAINED] == []


def test_most_cases_come_out_the_same(outcomes: list[Outcome]) -> None:
    ran = [outcome for outcome in outcomes if outcome.verdict != "left out"]
    assert len([outcome for outcome in ran if outcome.verdict == SAME]) > 0.9 * len(ran), table(outcomes)


@pytest.mark.parametrize("name", [*NAMES, HERE_ALONE])
def test_documentation_names_every_deviation(name: str) -> None:
    assert f"**{name}.**" in DOCUMENTATION.read_text(encoding="utf-8")
