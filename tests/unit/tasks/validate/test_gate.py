"""The gate: every row is clean, quarantined or superseded, and for a reason that GX agrees with."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from great_expectations.expectations.row_conditions import Column
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from expectations.engine import unexpected_rows_expr
from tests.unit.tasks.validate.gating import (
    expect,
    judge,
    make_extracted,
    make_suite,
    outcome_of,
    quarantined_ids,
    read_clean,
    read_quarantine,
)

DIVERTS = {"quarantine": {"max_rows": 1000}}
SUITE = make_suite(
    expect("expect_column_values_to_not_be_null", column="a", row_condition=Column("b") > 0, meta=DIVERTS),
    expect("expect_column_values_to_be_between", column="b", min_value=0, max_value=2, meta=DIVERTS),
    expect("expect_column_values_to_be_in_set", column="a", value_set=["x", "y"], meta=DIVERTS),
    expect("expect_compound_columns_to_be_unique", column_list=["a", "b"], meta=DIVERTS),
    expect(
        "expect_column_pair_values_to_be_equal",
        column_A="id",
        column_B="b",
        ignore_row_if="both_values_are_missing",
        mostly=0.5,
        meta=DIVERTS,
    ),
)
ROWS = st.lists(
    st.tuples(
        st.sampled_from([None, *range(6)]),
        st.sampled_from([None, "x", "y", "z"]),
        st.sampled_from([None, -1, 0, 1, 2, 3]),
    ),
    max_size=12,
)


def frame_of(rows: list[Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"id": pl.Int64, "a": pl.String, "b": pl.Int64}, orient="row")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(rows=ROWS)
def test_diverted_rows_are_those_where_a_verdict_is_true(tmp_path: Path, rows: list[Any]) -> None:
    frame = frame_of(rows)
    verdict = judge(tmp_path, frame, SUITE, version_by="b")
    if frame.is_empty():
        return
    clean, reasons = read_clean(verdict), {}
    for row in read_quarantine(verdict):
        reasons[tuple(row["row"][name] for name in frame.columns)] = row["reasons"]
    by_suite = {row: found for row, found in reasons.items() if not found[0].startswith("primary key")}
    remaining = pl.concat([clean, frame_of(list(by_suite))])
    flags = remaining.select(
        unexpected_rows_expr(expectation, remaining.schema).alias(str(position))
        for position, expectation in enumerate(SUITE.expectations)
    )
    assert not any(any(row) for row in flags.head(clean.height).rows())
    for broken, found in zip(flags.tail(len(by_suite)).rows(), by_suite.values(), strict=True):
        assert sum(broken) == len(found) > 0
    counted = [
        outcome.unexpected_count for outcome in verdict.outcomes if outcome.identity != outcome.expectation
    ]
    assert counted == list(flags.sum().row(0))


def test_row_that_breaks_several_expectations_has_all_reasons(tmp_path: Path) -> None:
    frame = frame_of([(0, "z", 9), (1, "x", 1)])
    verdict = judge(tmp_path, frame, [*SUITE.expectations[:3]])
    [row] = read_quarantine(verdict)
    assert row["reasons"] == [
        "b: expect_column_values_to_be_between(min_value=0.0, max_value=2.0)",
        "a: expect_column_values_to_be_in_set(value_set=['x', 'y'])",
    ]
    assert (row["key"], row["row"]) == ({"id": 0}, {"id": 0, "a": "z", "b": 9})


def test_verdict_of_null_does_not_divert(tmp_path: Path) -> None:
    suite = [expect("expect_column_values_to_be_between", column="b", min_value=0, meta=DIVERTS)]
    verdict = judge(tmp_path, frame_of([(1, "x", None), (2, "x", -1)]), suite)
    assert quarantined_ids(verdict) == [2]


def test_row_condition_applies(tmp_path: Path) -> None:
    verdict = judge(tmp_path, frame_of([(1, None, 1), (2, None, 0)]), SUITE.expectations[:1])
    assert quarantined_ids(verdict) == [1]


def test_uniqueness_diverts_every_copy(tmp_path: Path) -> None:
    suite = [expect("expect_column_values_to_be_unique", column="a", meta=DIVERTS)]
    verdict = judge(tmp_path, frame_of([(1, "x", 1), (2, "x", 2), (3, "y", 3), (4, None, 4)]), suite)
    assert quarantined_ids(verdict) == [1, 2]


def test_superseded_row_is_no_copy_of_the_newest(tmp_path: Path) -> None:
    suite = [expect("expect_column_values_to_be_unique", column="a", meta=DIVERTS)]
    verdict = judge(tmp_path, frame_of([(1, "x", 1), (1, "x", 2)]), suite, version_by="b")
    assert (verdict.superseded, verdict.clean_count, verdict.quarantined) == (1, 1, 0)


def test_key_faults_and_expectations_divert_into_one_quarantine(tmp_path: Path) -> None:
    frame = frame_of([(None, "x", 1), (1, "x", 1), (1, "y", 1), (2, "z", 1), (3, "x", 1), (3, "x", 1)])
    verdict = judge(tmp_path, frame, SUITE.expectations[:3])
    assert [row["key"]["id"] for row in read_quarantine(verdict)] == [None, 1, 1, 2]
    assert (verdict.superseded, verdict.clean_count) == (1, 1)
    assert outcome_of(verdict, "primary_key_identifies_a_row").unexpected_count == 3


def test_suite_without_quarantine_sees_the_clean_rows_only(tmp_path: Path) -> None:
    mean = expect("expect_column_mean_to_be_between", column="b", min_value=0, max_value=2)
    frame = frame_of([(1, "x", 1), (2, "x", 2), (3, "x", 9999)])
    verdict = judge(tmp_path, frame, [mean, *SUITE.expectations[1:2]])
    assert verdict.verdict == "passed"
    outcome, diverting = (
        outcome_of(verdict, name)
        for name in ("expect_column_mean_to_be_between", "expect_column_values_to_be_between")
    )
    assert (outcome.state, outcome.seen, outcome.rows_seen) == ("passed", "clean", 2)
    assert outcome.result["result"]["observed_value"] == 1.5
    assert (diverting.state, diverting.seen, diverting.rows_seen) == ("quarantined", "remaining", 3)


def test_clean_is_the_file_that_came_when_nothing_leaves_it(tmp_path: Path) -> None:
    verdict = judge(tmp_path, frame_of([(1, "x", 1)]), SUITE)
    assert verdict.clean == str(tmp_path / "orders.parquet")
    assert verdict.quarantine is None
    assert verdict.verdict == "passed"


def test_clean_rows_keep_order_types_and_values(tmp_path: Path) -> None:
    frame = frame_of([(5, "x", 1), (4, "z", 1), (3, None, None), (3, None, None)]).with_columns(
        at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), kind=pl.lit("k", dtype=pl.Categorical)
    )
    verdict = judge(tmp_path, frame, SUITE.expectations[2:3])
    assert_frame_equal(read_clean(verdict), frame[[0, 2]])


def test_empty_batch_has_no_new_rows_and_skips_the_suite(tmp_path: Path) -> None:
    suite = [expect("expect_table_row_count_to_be_between", min_value=1), *SUITE.expectations]
    verdict = judge(tmp_path, frame_of([]), suite, cursor_field="b")
    assert (verdict.verdict, verdict.outcomes, verdict.cursor) == ("no new rows", (), None)
    assert verdict.clean == str(tmp_path / "orders.parquet")


def test_batch_that_is_quarantined_whole_leaves_no_clean_row(tmp_path: Path) -> None:
    verdict = judge(tmp_path, frame_of([(1, "z", 1), (2, "z", 1)]), SUITE.expectations[2:3])
    assert (verdict.clean_count, verdict.quarantined) == (0, 2)
    assert read_clean(verdict).schema == frame_of([]).schema


@pytest.mark.parametrize(
    ("rejected", "verdict", "state"), [(10, "no new rows", "quarantined"), (11, "blocked", "failed")]
)
def test_more_than_ten_rejected_records_block(
    tmp_path: Path, rejected: int, verdict: str, state: str
) -> None:
    file = tmp_path / "rejected.parquet"
    pl.DataFrame({"path": ["$.id"] * rejected, "message": ["Expected `int`"] * rejected}).write_parquet(file)
    extracted = make_extracted(received=rejected, decoded=0, rejected_count=rejected, rejected=str(file))
    judged = judge(tmp_path, frame_of([]), SUITE, extracted=extracted)
    outcome = outcome_of(judged, "records_fit_the_schema")
    assert (judged.verdict, outcome.state) == (verdict, state)
    assert outcome.examples[0] == "$.id: Expected `int`"
    assert outcome.message == (
        f"{rejected} of {rejected} records do not fit the schema, the first for $.id: Expected `int`; "
        "at most 10 may"
    )


def test_few_rejected_records_are_told_of_and_do_not_block(tmp_path: Path) -> None:
    file = tmp_path / "rejected.parquet"
    pl.DataFrame({"path": ["$.id"], "message": ["Expected `int`"]}).write_parquet(file)
    extracted = make_extracted(received=2, decoded=1, rejected_count=1, rejected=str(file))
    judged = judge(tmp_path, frame_of([(1, "x", 1)]), SUITE, extracted=extracted)
    assert judged.verdict == "passed"
    assert outcome_of(judged, "records_fit_the_schema").rows_seen == 2


@pytest.mark.parametrize("is_empty", [True, False])
def test_table_scoped_expectations_are_handed_on_unevaluated(tmp_path: Path, is_empty: bool) -> None:
    query = "SELECT * FROM {batch} WHERE id NOT IN (SELECT id FROM other)"
    check = expect(
        "unexpected_rows_expectation",
        unexpected_rows_query=query,
        meta={"scope": "table"},
        severity="warning",
    )
    verdict = judge(tmp_path, frame_of([] if is_empty else [(1, "x", 1)]), [check])
    [handed] = verdict.checks
    assert (handed.query, handed.severity, handed.table, handed.suite) == (
        query,
        "warning",
        "orders",
        "orders",
    )
    assert verdict.outcomes == ()


def test_suite_parameters_are_filled_in_for_verdicts_and_rows(tmp_path: Path) -> None:
    suite = make_suite(
        expect(
            "expect_column_values_to_be_between", column="b", max_value={"$PARAMETER": "top"}, meta=DIVERTS
        ),
        expect("expect_column_max_to_be_between", column="b", max_value={"$PARAMETER": "top"}),
        top=2,
    )
    verdict = judge(tmp_path, frame_of([(1, "x", 1), (2, "x", 3)]), suite)
    assert quarantined_ids(verdict) == [2]
    assert outcome_of(verdict, "expect_column_max_to_be_between").state == "passed"


@pytest.mark.parametrize(
    "name", ['a "b"', "x y", "<script>", "a'b", "ключ\U0001f600", "{}", "%s", "$col", "a\nb"]
)
def test_columns_and_keys_may_have_hostile_names(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame({name: [1, 2, 2, 3], "v": ["<script>", "'; --", "\U0001f600", "a\nb"]})
    suite = [
        expect("expect_column_values_to_be_between", column=name, max_value=2, meta=DIVERTS),
        expect("expect_column_max_to_be_between", column=name, max_value=2),
    ]
    verdict = judge(tmp_path, frame, suite, primary_key=(name,))
    assert verdict.verdict == "passed"
    assert [row["row"][name] for row in read_quarantine(verdict)] == [2, 2, 3]
