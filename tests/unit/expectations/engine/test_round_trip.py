"""Suites go both ways between this engine and a Great Expectations that never saw it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import great_expectations as gx
import pytest
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.row_conditions import Column

from expectations.engine import load_suite, validate_frame
from tests.unit.expectations.engine.frames import MIXED, gxe

# Loads what is saved in one project and saves it in another, in a process that has no other import.
_STOCK_GX = """
import sys, great_expectations as gx
def suites(folder):
    return gx.get_context(mode="file", project_root_dir=folder).suites
suite = suites(sys.argv[1]).get("everything")
suite.id = None
for expectation in suite.expectations:
    expectation.id = None
suites(sys.argv[2]).add(suite)
assert not [name for name in sys.modules if name.startswith(("expectations", "polars"))]
"""


def everything() -> ExpectationSuite:
    """All that a suite file may hold: severities, conditions, parameters, meta, notes."""
    in_x, young = Column("g") == "x", Column("i") < 3
    return ExpectationSuite(
        name="everything",
        meta={"owner": "data", "nested": {"ä": [1, None]}},
        notes="of the suite",
        suite_parameters={"limit": 3},
        expectations=[
            gxe.ExpectColumnValuesToNotBeNull(
                column="i", mostly=0.5, severity="warning", notes=["one", "two"], meta={"quarantine": True}
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="i", min_value=0, strict_min=True, max_value={"$PARAMETER": "limit"}, severity="info"
            ),
            gxe.ExpectColumnValuesToBeInSet(column="j", value_set=[0, 1], row_condition=in_x & young),
            gxe.ExpectColumnValuesToBeUnique(column="s", row_condition=in_x | Column("s").is_not_null()),
            gxe.ExpectColumnMaxToBeBetween(
                column="t", max_value="2024-03-01T00:00:00", description="not late"
            ),
            gxe.ExpectCompoundColumnsToBeUnique(column_list=["i", "s"], ignore_row_if="any_value_is_missing"),
            gxe.UnexpectedRowsExpectation(unexpected_rows_query="SELECT * FROM {batch} WHERE j > 3"),
        ],
    )


def save(folder: Path, suite: ExpectationSuite) -> Path:
    context: Any = gx.get_context(mode="file", project_root_dir=folder)
    context.suites.add(suite)
    return stored(folder)


def stored(folder: Path) -> Path:
    return folder / "gx/expectations/everything.json"


def without_ids(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: without_ids(value) for key, value in content.items() if key != "id"}
    return [without_ids(value) for value in content] if isinstance(content, list) else content


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The suite as it is saved here, and as stock GX saved it after it loaded that."""
    ours, theirs = (tmp_path_factory.mktemp(name) for name in ("ours", "theirs"))
    save(ours, everything())
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _STOCK_GX, str(ours), str(theirs)],
        check=True,
        cwd=theirs,
        timeout=120,
        capture_output=True,
    )
    return ours, theirs


def test_stock_gx_loads_and_saves_all_that_is_saved_here(projects: tuple[Path, Path]) -> None:
    ours, theirs = (json.loads(stored(folder).read_text(encoding="utf-8")) for folder in projects)
    assert without_ids(theirs) == without_ids(ours)
    assert [len(entry["id"]) for entry in theirs["expectations"]] == [36] * 7


def test_a_suite_saved_by_stock_gx_is_loaded_unchanged(projects: tuple[Path, Path], tmp_path: Path) -> None:
    _, theirs = projects
    saved = json.loads(stored(theirs).read_text(encoding="utf-8"))
    from_file = load_suite(stored(theirs))
    from_context = gx.get_context(mode="file", project_root_dir=theirs).suites.get("everything")
    assert from_file.to_json_dict() == from_context.to_json_dict()
    assert from_file.id == saved["id"]
    assert [each.id for each in from_file.expectations] == [entry["id"] for entry in saved["expectations"]]
    again = json.loads(save(tmp_path, without_identity(from_file)).read_text(encoding="utf-8"))
    assert without_ids(again) == without_ids(saved)


def without_identity(suite: ExpectationSuite) -> ExpectationSuite:
    """A suite that has an id is one that is saved already."""
    suite.id = None
    for expectation in suite.expectations:
        expectation.id = None
    return suite


def test_a_suite_saved_by_stock_gx_gives_the_results_of_the_original(projects: tuple[Path, Path]) -> None:
    expected = validate_frame(MIXED, everything(), result_format="COMPLETE")
    found: Any = validate_frame(MIXED, load_suite(stored(projects[1])), result_format="COMPLETE")
    assert [(each.success, each.result) for each in found.results] == [
        (each.success, each.result) for each in expected.results
    ]
    assert [each.expectation_config.severity for each in found.results][:2] == ["warning", "info"]
    assert not [each for each in found.results if each.exception_info["raised_exception"]]
