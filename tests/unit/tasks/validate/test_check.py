"""`assay check`: a file against a suite, outside any pipeline."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasks.errors import ConfigurationError
from tasks.validate.check import check_file

FRAME = pl.DataFrame({"id": [1, 2, None], "v": [1, 2, 30]})
WRITERS: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    ".parquet": pl.DataFrame.write_parquet,
    ".csv": pl.DataFrame.write_csv,
    ".ndjson": pl.DataFrame.write_ndjson,
    ".jsonl": pl.DataFrame.write_ndjson,
    ".CSV": pl.DataFrame.write_csv,
}


@pytest.fixture
def suite(tmp_path: Path) -> str:
    not_null = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}}
    entries = [
        {"type": "expect_column_max_to_be_between", "kwargs": {"column": "v", "max_value": 30}},
        not_null | {"meta": {"quarantine": True}},
        {
            "type": "unexpected_rows_expectation",
            "kwargs": {"unexpected_rows_query": "SELECT 1 FROM {batch}"},
            "meta": {"scope": "table"},
        },
    ]
    path = tmp_path / "suite.json"
    path.write_text(json.dumps({"name": "s", "expectations": entries}), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("suffix", WRITERS)
def test_file_of_every_kind_is_judged_with_budgets(tmp_path: Path, suite: str, suffix: str) -> None:
    file = tmp_path / f"rows[1] *{suffix}"
    WRITERS[suffix](FRAME, file)
    checked = check_file(file, suite)
    assert (checked.success, checked.rows, checked.skipped, checked.suite) == (True, 3, 1, "s")
    assert [outcome.state for outcome in checked.outcomes] == ["quarantined", "passed"]
    assert checked.outcomes[0].rows_seen == 3


def test_failed_expectation_fails_the_file(tmp_path: Path, suite: str) -> None:
    file = tmp_path / "rows.csv"
    FRAME.with_columns(v=31).write_csv(file)
    checked = check_file(file, suite)
    assert not checked.success
    assert [outcome.state for outcome in checked.outcomes] == ["quarantined", "failed"]


def test_column_that_is_not_there_is_an_error_and_fails_the_file(tmp_path: Path, suite: str) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("other\n1\n", encoding="utf-8")
    checked = check_file(file, suite)
    assert not checked.success
    assert {outcome.state for outcome in checked.outcomes} == {"error"}


def test_file_with_a_header_only_has_no_unexpected_rows(tmp_path: Path, suite: str) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("id,v\n", encoding="utf-8")
    checked = check_file(file, suite)
    assert checked.rows == 0
    assert checked.outcomes[0].state == "passed"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("rows.txt", b"id\n", "a .txt file is none of .parquet, .csv"),
        ("rows", b"id\n", "none of .parquet, .csv"),
        ("rows.parquet", b"not parquet", "cannot be read"),
        ("rows.parquet", b"", "cannot be read"),
        ("rows.csv", b"", "cannot be read"),
        ("rows.ndjson", b"", "cannot be read"),
        ("rows.ndjson", b"{\n", "cannot be read"),
    ],
)
def test_file_that_cannot_be_read_is_a_configuration_error(
    tmp_path: Path, suite: str, name: str, content: bytes, problem: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        check_file(file, suite)
    assert str(file) in str(caught.value)


def test_line_that_does_not_parse_fails_the_file(tmp_path: Path, suite: str) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("id,v\n1,2\n1,2,3,4\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"rows\.csv cannot be read: found more fields"):
        check_file(file, suite)


def test_absent_file_and_folder_are_configuration_errors(tmp_path: Path, suite: str) -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        check_file(tmp_path / "rows.csv", suite)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ConfigurationError, match="no such file"):
        check_file(tmp_path / "folder.csv", suite)


def test_suite_is_found_by_name_or_by_file(tmp_path: Path) -> None:
    file = tmp_path / "airlines.csv"
    pl.DataFrame({"carrier": ["UA"], "name": ["United"], "updated_at": ["2026-01-01"]}).write_csv(file)
    assert check_file(file, "airlines").suite == "airlines"
    with pytest.raises(ConfigurationError, match="Did you mean 'airlines'"):
        check_file(file, "airline")
    with pytest.raises(ConfigurationError, match=r"absent\.json"):
        check_file(file, "absent.json")
