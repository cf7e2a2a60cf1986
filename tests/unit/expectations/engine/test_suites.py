"""Suite files are plain GX, and a mistake in one is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import great_expectations as gx
import pytest
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.row_conditions import Column

from expectations.engine import SuiteFileError, load_suite, validate_frame
from tests.unit.expectations.engine.frames import MIXED, aggregates, gxe, row_level

UNIQUE = {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "i"}}


def write(path: Path, *expectations: Any, **content: Any) -> Path:
    file = path / "suite.json"
    file.write_text(json.dumps({"name": "suite", "expectations": expectations} | content), encoding="utf-8")
    return file


def test_a_suite_keeps_severity_meta_and_name(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path, UNIQUE | {"severity": "warning", "meta": {"quarantine": True}}))
    [expectation] = suite.expectations
    assert suite.name == "suite"
    assert (expectation.severity, expectation.meta) == ("warning", {"quarantine": True})


def test_what_gx_has_stored_is_read_back(tmp_path: Path) -> None:
    condition = (Column("g") == "x") & Column("f").is_not_null()
    expectations = [
        *row_level(),
        *aggregates(),
        gxe.ExpectColumnMaxToBeBetween(column="j", row_condition=condition),
    ]
    context = gx.get_context(mode="file", project_root_dir=tmp_path)
    stored = context.suites.add(ExpectationSuite(name="stored", expectations=expectations))
    [file] = tmp_path.rglob("expectations/stored.json")
    loaded = load_suite(file)
    assert [e.configuration for e in loaded.expectations] == [e.configuration for e in stored.expectations]
    assert loaded.id == stored.id


def test_a_condition_as_pandas_text_is_read_without_a_warning(tmp_path: Path) -> None:
    kwargs = {"column": "i", "row_condition": 'g == "y"', "condition_parser": "pandas"}
    [result] = validate_frame(MIXED, load_suite(write(tmp_path, UNIQUE | {"kwargs": kwargs}))).results
    assert result.result["element_count"] == 3


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (
            UNIQUE | {"type": "expect_column_values_to_be_uniqe"},
            r"expectation 1: no expectation .*Did you mean 'expect_column_values_to_be_unique'\?",
        ),
        (UNIQUE | {"kwargs": {"colum": "i"}}, "expectation 1: .*colum extra fields not permitted"),
        (UNIQUE | {"kwargs": {}}, "expectation 1: expect_column_values_to_be_unique: .*field required"),
        (UNIQUE | {"severity": "fatal"}, "expectation 1: .*fatal"),
        (UNIQUE | {"kwarg": {}}, r"expectation 1: .*unknown key 'kwarg'. Did you mean 'kwargs'\?"),
        ({"kwargs": {}}, "expectation 1: must be an object with a 'type'"),
        ("unique", "expectation 1: must be an object with a 'type'"),
    ],
)
def test_a_faulty_expectation_is_named(tmp_path: Path, entry: Any, problem: str) -> None:
    file = write(tmp_path, UNIQUE, entry)
    with pytest.raises(SuiteFileError, match=problem) as caught:
        load_suite(file)
    assert isinstance(caught.value, ValueError)
    assert (caught.value.path, caught.value.index) == (str(file), 1)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is no JSON"),
        ("[]", "must be a JSON object"),
        ('{"expectations": []}', "name"),
        ('{"name": "a", "expectations": {}}', "must be a list"),
    ],
)
def test_a_faulty_file_is_named(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "suite.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SuiteFileError, match=problem) as caught:
        load_suite(file)
    assert caught.value.index is None


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteFileError, match=r"suite\.json: cannot be read: No such file"):
        load_suite(tmp_path / "suite.json")
