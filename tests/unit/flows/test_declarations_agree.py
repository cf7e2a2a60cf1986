"""Every pipeline has its suites, and a row in the README; its deployment: tests/unit/deployments."""

import re
from pathlib import Path

import pytest

from flows.catalog import find_pipeline, pipeline_names
from tasks.settings import SUITES

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", pipeline_names())
def test_a_pipeline_has_a_suite_for_each_table_and_a_row_in_the_readme(name: str) -> None:
    pipeline = find_pipeline(name)
    for table in pipeline.tables:
        assert (SUITES / f"{table.suite_name}.json").is_file(), table.suite_name
    row = re.search(rf"^\| \[`{name}`\].*$", README, re.MULTILINE)
    assert row is not None
    assert all(table.name in row[0] for table in pipeline.tables)


def test_every_suite_is_that_of_a_table() -> None:
    declared = {t.suite_name for name in pipeline_names() for t in find_pipeline(name).tables}
    assert {file.stem for file in SUITES.glob("*.json")} == declared


def test_no_two_pipelines_write_one_table() -> None:
    tables = [t.name for name in pipeline_names() for t in find_pipeline(name).tables]
    assert len(tables) == len(set(tables))
