"""Budgets and severities: how much may be diverted, and what a failure does."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from great_expectations.expectations.expectation import Expectation

from tests.unit.tasks.validate.gating import expect, judge, outcome_of

BETWEEN = "expect_column_values_to_be_between"


def batch(rows: int, bad: int) -> pl.DataFrame:
    return pl.DataFrame({"id": range(rows), "v": [-1] * bad + [1] * (rows - bad)})


def positive(**options: Any) -> Expectation:
    return expect("expect_column_values_to_be_between", column="v", min_value=0, **options)


@pytest.mark.parametrize(
    ("rows", "bad", "quarantine", "mostly", "is_within"),
    [
        (72, 0, True, 1, True),
        (72, 1, True, 1, True),  # 1.4 %, more than any share that suits large batches
        (72, 10, True, 1, True),
        (72, 11, True, 1, False),
        (72, 1, {"max_rows": 0}, 1, False),
        (72, 1, {"max_rows": 0}, 0.9, True),
        (10, 10, True, 1, True),
        (20_000, 10, True, 0.9999, True),
        (20_000, 11, True, 0.999, True),  # 0.055 %
        (20_000, 20, True, 0.999, True),
        (20_000, 21, True, 0.999, False),
        (20_000, 21, {"max_rows": 21}, 0.999, True),
    ],
)
def test_budget_holds_by_share_or_by_rows(
    tmp_path: Path, rows: int, bad: int, quarantine: Any, mostly: float, is_within: bool
) -> None:
    expectation = positive(mostly=mostly, meta={"quarantine": quarantine})
    verdict = judge(tmp_path, batch(rows, bad), [expectation])
    outcome = outcome_of(verdict, BETWEEN)
    assert outcome.state == ("failed" if not is_within else "quarantined" if bad else "passed")
    assert outcome.blocks is not is_within
    assert verdict.verdict == ("passed" if is_within else "blocked")
    assert (verdict.quarantined, outcome.unexpected_count, outcome.rows_seen) == (bad, bad, rows)


@pytest.mark.parametrize(
    ("severity", "verdict"), [("critical", "blocked"), ("warning", "warned"), ("info", "warned")]
)
def test_exceeded_budget_acts_by_severity_and_its_rows_stay_diverted(
    tmp_path: Path, severity: Any, verdict: str
) -> None:
    judged = judge(tmp_path, batch(72, 11), [positive(severity=severity, meta={"quarantine": True})])
    assert (judged.verdict, judged.quarantined, judged.clean_count) == (verdict, 11, 61)
    assert outcome_of(judged, BETWEEN).state == "failed"


@pytest.mark.parametrize(
    ("severity", "verdict"), [("critical", "blocked"), ("warning", "warned"), ("info", "warned")]
)
def test_failed_expectation_acts_by_severity_and_diverts_nothing(
    tmp_path: Path, severity: Any, verdict: str
) -> None:
    judged = judge(tmp_path, batch(5, 1), [positive(severity=severity)])
    assert (judged.verdict, judged.quarantined) == (verdict, 0)
    outcome = outcome_of(judged, BETWEEN)
    assert (outcome.state, outcome.severity, outcome.examples) == ("failed", severity, ("-1",))


@pytest.mark.parametrize(
    ("severity", "diverts", "verdict"),
    [
        ("critical", False, "blocked"),
        ("warning", False, "warned"),
        ("info", False, "warned"),
        ("critical", True, "blocked"),
        ("warning", True, "blocked"),
        ("info", True, "blocked"),
    ],
)
def test_expectation_that_errs_fails_at_its_severity_and_blocks_if_it_diverts(
    tmp_path: Path, severity: Any, diverts: bool, verdict: str
) -> None:
    expectation = expect(
        "expect_column_values_to_be_between",
        column="absent",
        min_value=0,
        severity=severity,
        meta={"quarantine": True} if diverts else {},
    )
    judged = judge(tmp_path, batch(5, 0), [expectation, positive()])
    outcome, other = judged.outcomes
    assert (judged.verdict, outcome.state) == (verdict, "error")
    assert outcome.blocks is (verdict == "blocked")
    assert outcome.message == (
        'Could not be evaluated: Error: The column "absent" in BatchData does not exist.'
    )
    assert other.state == "passed"


def test_severity_is_critical_unless_said_otherwise(tmp_path: Path) -> None:
    judged = judge(tmp_path, batch(5, 1), [positive()])
    assert outcome_of(judged, BETWEEN).severity == "critical"


@pytest.mark.parametrize(("bad", "verdict"), [(4, "passed"), (5, "blocked")])
def test_union_of_the_diverted_is_capped_by_the_table(tmp_path: Path, bad: int, verdict: str) -> None:
    suite = [positive(severity="info", meta={"quarantine": {"max_rows": 1000}})]
    judged = judge(tmp_path, batch(72, bad), suite, max_quarantined=4)
    assert judged.verdict == verdict
    rules = [outcome.expectation for outcome in judged.outcomes[1:]]
    assert rules == (["quarantine_stays_small"] if bad > 4 else [])


@pytest.mark.parametrize(("rows", "verdict"), [(10, "passed"), (12, "blocked")])
def test_more_than_ten_rows_without_a_key_of_their_own_block(tmp_path: Path, rows: int, verdict: str) -> None:
    frame = pl.DataFrame({"id": [1] * rows + [2, 3], "v": range(rows + 2)})
    judged = judge(tmp_path, frame)
    assert (judged.verdict, judged.quarantined) == (verdict, rows)
    outcome = outcome_of(judged, "primary_key_identifies_a_row")
    assert outcome.examples == ("(1,)",) * rows
    assert f"{rows} of {rows + 2} rows" in str(outcome.message)


def test_identity_is_that_of_the_expectation_not_of_the_load(tmp_path: Path) -> None:
    first = judge(tmp_path, batch(5, 1), [positive(), positive(mostly=0.5)])
    second = judge(tmp_path, batch(9, 0), [positive(), positive(mostly=0.5)])
    assert [o.identity for o in first.outcomes] == [o.identity for o in second.outcomes]
    assert len({outcome.identity for outcome in first.outcomes}) == 2
