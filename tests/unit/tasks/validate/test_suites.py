"""Suites: plain GX, split by two words in `meta`; a wrong word is told before any data is read."""

import json
from pathlib import Path
from typing import Any

import great_expectations as gx
import pytest
from great_expectations.core import ExpectationSuite

from tasks.errors import ConfigurationError
from tasks.settings import SUITES
from tasks.validate.suites import GatedSuite, find_suite, identify, read_suite, split_suite
from tests.unit.tasks.validate.gating import expect, make_suite

NOT_NULL = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}}


def write_suite(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "orders.json"
    path.write_text(json.dumps({"name": "orders", "expectations": entries}), encoding="utf-8")
    return path


def split(folder: Path, *entries: dict[str, Any]) -> GatedSuite:
    return split_suite(read_suite(write_suite(folder, *entries)), "orders")


def test_meta_says_what_an_expectation_does(tmp_path: Path) -> None:
    gated = split(
        tmp_path,
        NOT_NULL,
        NOT_NULL | {"meta": {"quarantine": True}},
        NOT_NULL | {"meta": {"quarantine": {"max_rows": 0}, "owner": "ops"}},
        {
            "type": "unexpected_rows_expectation",
            "kwargs": {"unexpected_rows_query": "SELECT 1 FROM {batch}"},
            "meta": {"scope": "table"},
        },
        NOT_NULL | {"meta": {"quality": "x", "notes": {"scopes": 1}}},
    )
    assert [diverting.max_rows for diverting in gated.diverting] == [10, 0]
    assert (len(gated.judging), len(gated.checks)) == (2, 1)


@pytest.mark.parametrize(
    ("meta", "problem"),
    [
        ({"quarantine": False}, 'write true or {"max_rows": 100}'),
        ({"quarantine": None}, "write true or"),
        ({"quarantine": 1}, "write true or"),
        ({"quarantine": {"max_rows": -1}}, "write true or"),
        ({"quarantine": {"max_rows": True}}, "write true or"),
        ({"quarantine": {"max_rows": "10"}}, "write true or"),
        ({"quarantine": {"max_rows": 10, "mostly": 0.9}}, "write true or"),
        ({"quarantine": {"rows": 10}}, "write true or"),
        ({"scope": "batch"}, "meta.scope is 'batch'; write 'table'"),
        ({"scope": "table"}, "needs an unexpected_rows_expectation with a query in SQL"),
        ({"scope": "table", "quarantine": True}, "keep one"),
        ({"quarantin": True}, "Did you mean 'quarantine'?"),
        ({"Scope": "table"}, "Did you mean 'scope'?"),
    ],
)
def test_wrong_word_in_meta_names_suite_expectation_and_next_step(
    tmp_path: Path, meta: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        split(tmp_path, NOT_NULL, NOT_NULL | {"meta": meta})
    message = str(caught.value)
    assert message.startswith("Suite 'orders', expectation 2 (expect_column_values_to_not_be_null): ")
    assert problem in message


@pytest.mark.parametrize(
    ("kind", "kwargs"),
    [
        ("expect_column_mean_to_be_between", {"column": "id", "max_value": 1}),
        ("expect_table_row_count_to_be_between", {"min_value": 1}),
        ("expect_column_values_to_be_of_type", {"column": "id", "type_": "Int64"}),
        ("expect_column_unique_value_count_to_be_between", {"column": "id", "min_value": 1}),
    ],
)
def test_only_expectations_about_rows_can_divert(tmp_path: Path, kind: str, kwargs: dict[str, Any]) -> None:
    entry = {"type": kind, "kwargs": kwargs, "meta": {"quarantine": True}}
    message = rf"Suite 'orders', expectation 1 \({kind}\): meta.quarantine needs .* remove it"
    with pytest.raises(ConfigurationError, match=message):
        split(tmp_path, entry)


def test_position_is_that_in_the_suite_for_twins_too(tmp_path: Path) -> None:
    wrong = NOT_NULL | {"meta": {"scope": "x"}}
    with pytest.raises(ConfigurationError, match="expectation 3 "):
        split(tmp_path, NOT_NULL, NOT_NULL, wrong)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"type": "expect_column_values_to_not_be_nul", "kwargs": {"column": "id"}}, "Did you mean"),
        ({"type": "expect_column_values_to_not_be_null", "kwargs": {"colum": "id"}}, "colum"),
        ({"type": "expect_column_values_to_not_be_null", "kwarg": {}}, "Did you mean 'kwargs'"),
    ],
)
def test_suite_that_gx_cannot_build_names_the_file(
    tmp_path: Path, entry: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=r"orders\.json") as caught:
        split(tmp_path, entry)
    assert problem in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"expectations": []}', '{"name": "x", "expectations": 1}'])
def test_file_that_is_no_suite_is_a_configuration_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "orders.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"orders\.json"):
        read_suite(path)


def test_unknown_suite_names_the_nearest(tmp_path: Path) -> None:
    write_suite(tmp_path)
    assert find_suite("orders", tmp_path) == tmp_path / "orders.json"
    with pytest.raises(ConfigurationError, match=r"no suite 'order' .*Did you mean 'orders'\?"):
        find_suite("order", tmp_path)
    with pytest.raises(ConfigurationError, match="There are: orders"):
        find_suite("zzz", tmp_path)
    with pytest.raises(ConfigurationError, match="There are: none"):
        find_suite("zzz", tmp_path / "absent")


def test_identity_depends_on_type_and_arguments_only() -> None:
    first, second, other = (
        identify(expectation.configuration.to_json_dict())
        for expectation in (
            expect("expect_column_values_to_be_in_set", column="a", value_set=[1, 2]),
            expect(
                "expect_column_values_to_be_in_set",
                column="a",
                value_set=[1, 2],
                severity="info",
                meta={"quarantine": True},
                notes="x",
            ),
            expect("expect_column_values_to_be_in_set", column="a", value_set=[1, 3]),
        )
    )
    assert first == second != other


@pytest.mark.parametrize("path", sorted(SUITES.glob("*.json")), ids=lambda path: path.stem)
def test_stock_gx_loads_and_keeps_every_suite(path: Path) -> None:
    """The suites are plain GX: assay's words survive a store, and nothing is left out."""
    content = json.loads(path.read_text(encoding="utf-8"))
    context = gx.get_context(mode="ephemeral")
    context.suites.add(ExpectationSuite(**content))
    kept = context.suites.get(content["name"])
    assert [e.meta or {} for e in kept.expectations] == [e.get("meta") or {} for e in content["expectations"]]
    assert [e.severity.value for e in kept.expectations] == [e["severity"] for e in content["expectations"]]
    ours, theirs = split_suite(read_suite(path), "t"), split_suite(kept, "t")
    for mine, its in ((ours.diverting, theirs.diverting), (ours.judging, theirs.judging)):
        assert len(mine) == len(its)
    assert [check.identity for check in ours.checks] == [check.identity for check in theirs.checks]


def test_suite_parameters_stay_with_the_split_suite() -> None:
    assert split_suite(
        make_suite(expect("expect_column_values_to_not_be_null", column="id"), top=3), "t"
    ).parameters == {"top": 3}
