"""Queries at the gate: over the clean rows of the batch, unless they are of the whole table."""

from pathlib import Path

import polars as pl

from tests.unit.tasks.validate.gating import expect, judge, outcome_of, quarantined_ids

ROWS = pl.DataFrame({"id": [1, 2, 3], "b": [1, 5, 9]})
QUERY = "unexpected_rows_expectation"


def test_a_query_without_scope_sees_the_clean_rows_of_the_batch(tmp_path: Path) -> None:
    suite = [
        expect("expect_column_values_to_be_between", column="b", max_value=6, meta={"quarantine": True}),
        expect(QUERY, unexpected_rows_query="SELECT * FROM {batch} WHERE b > 4"),
    ]
    verdict = judge(tmp_path, ROWS, suite)
    outcome = outcome_of(verdict, QUERY)
    assert quarantined_ids(verdict) == [3]
    assert (outcome.state, outcome.seen, outcome.rows_seen) == ("failed", "clean", 2)
    assert outcome.message == "observed 1"
    assert verdict.verdict == "blocked"


def test_a_query_that_finds_nothing_passes(tmp_path: Path) -> None:
    verdict = judge(
        tmp_path, ROWS, [expect(QUERY, unexpected_rows_query="SELECT * FROM {batch} WHERE b < 0")]
    )
    assert verdict.verdict == "passed"


def test_a_query_that_cannot_be_answered_is_an_error_and_blocks(tmp_path: Path) -> None:
    verdict = judge(tmp_path, ROWS, [expect(QUERY, unexpected_rows_query="SELECT * FROM orders o, {batch}")])
    outcome = outcome_of(verdict, QUERY)
    assert (outcome.state, outcome.blocks) == ("error", True)
    assert outcome.message is not None
    assert "relation 'orders' was not found" in outcome.message
