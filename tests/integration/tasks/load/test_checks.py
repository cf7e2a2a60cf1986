"""Table-scoped expectations, on the merged tables and before anybody sees them."""

import re
from pathlib import Path

import polars as pl
import psycopg
import pytest

from tasks.handover import ExpectationOutcome
from tasks.load import checks
from tasks.load.checks import run_checks
from tests.integration.tasks.load.builders import Shop, make_check, make_pipeline, make_table

ROWS = pl.DataFrame({"id": [1, 2, 3], "value": ["a", None, "c"]})
NULLS = "SELECT * FROM {batch} WHERE value IS NULL"


def outcome_of(shop: Shop, query: str, severity: str = "warning") -> ExpectationOutcome:
    [outcome] = shop.load(ROWS, checks=(make_check(query, severity),)).outcomes
    return outcome


def test_unexpected_rows_are_counted_and_shown(shop: Shop) -> None:
    outcome = outcome_of(shop, NULLS)
    assert (outcome.state, outcome.blocks, outcome.rows_seen, outcome.unexpected_count) == (
        "failed",
        False,
        3,
        1,
    )
    assert outcome.examples == ('{"id": 2, "value": null}',)
    assert shop.rows() == sorted(ROWS.rows(), key=repr)


def test_no_unexpected_row_is_a_pass(shop: Shop) -> None:
    outcome = outcome_of(shop, "SELECT * FROM {batch} WHERE id > 3", "critical")
    assert (outcome.state, outcome.blocks, outcome.examples) == ("passed", False, ())


def test_only_some_examples_are_kept(shop: Shop) -> None:
    outcome = outcome_of(shop, "SELECT generate_series(1, 1000) AS number")
    assert (outcome.unexpected_count, len(outcome.examples)) == (1000, checks.EXAMPLES)


def test_a_critical_failure_blocks_the_load(shop: Shop) -> None:
    shop.load(ROWS.head(1))
    before = shop.snapshot()
    staged = shop.stage(ROWS, checks=(make_check(NULLS, "critical"),))

    assert shop.publish(staged) == "blocked"

    after = shop.snapshot()
    report = shop.report(staged.load)
    assert report.status == "blocked"
    assert report.error is not None
    assert "items: unexpected_rows_expectation (1 of 3 rows)" in report.error
    assert [outcome.state for outcome in report.outcomes] == ["failed"]
    ledger = ("assay.table_loads", "assay.validations")
    assert {name: rows for name, rows in after.items() if name not in ledger} == {
        name: rows for name, rows in before.items() if name not in ledger
    }


GOOD_QUERIES = [
    "SELECT * FROM {batch} WHERE id % 2 = 0",
    "SELECT * FROM {batch} WHERE id = ANY ('{2}'::int[])",
    "SELECT * FROM {batch} WHERE value IS NULL AND 'it''s 100%' LIKE '%s%%'",
    "SELECT * FROM {batch} WHERE value IS NULL;",
    "SELECT * FROM {batch} WHERE value IS NULL -- the end",
    "SELECT * FROM items WHERE value IS NULL",
    'WITH nulls AS (SELECT * FROM {batch} WHERE value IS NULL) SELECT id AS "100%" FROM nulls',
]
BAD_QUERIES = [
    ("SELECT * FORM {batch}", "syntax error"),
    ("SELECT * FROM nowhere", "does not exist"),
    ("SELECT 1 / (id - 1) FROM {batch}", "division by zero"),
    ("DELETE FROM {batch} RETURNING *", "syntax error"),
]


def test_a_query_may_hold_what_queries_hold(shop: Shop) -> None:
    outcomes = shop.load(ROWS, checks=tuple(make_check(query, "warning") for query in GOOD_QUERIES)).outcomes
    assert [(o.state, o.unexpected_count, o.message) for o in outcomes] == [("failed", 1, None)] * len(
        outcomes
    )


def test_queries_that_fail_are_errors_and_the_load_goes_on(shop: Shop) -> None:
    outcomes = shop.load(
        ROWS, checks=tuple(make_check(query, "warning") for query, _ in BAD_QUERIES)
    ).outcomes
    assert {(o.state, o.blocks) for o in outcomes} == {("error", False)}
    for outcome, (_, reason) in zip(outcomes, BAD_QUERIES, strict=True):
        assert re.match(f"Could not be evaluated: .*{reason}", outcome.message or "")
    assert len(shop.rows()) == 3


def test_a_critical_query_that_fails_blocks(shop: Shop) -> None:
    staged = shop.stage(ROWS, checks=(make_check("SELECT * FORM {batch}"),))
    assert shop.publish(staged) == "blocked"
    assert shop.query("SELECT tablename FROM pg_tables WHERE tablename = 'items'") == []


def test_a_slow_query_is_given_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "TIME_BOX_S", 0.1)
    outcome = outcome_of(shop, "SELECT pg_sleep(10)")
    assert outcome.state == "error"
    assert outcome.message is not None
    assert "statement timeout" in outcome.message


@pytest.mark.parametrize("query", ["SELECT 1", "SELECT FORM"])
def test_a_check_leaves_the_bounds_of_the_transaction(shop: Shop, query: str) -> None:
    shop.load(ROWS)
    with psycopg.connect(shop.dsn) as conn:
        conn.execute("SET LOCAL statement_timeout = '7s'")
        run_checks(conn, "public", [make_check(query)])
        assert conn.execute("SHOW statement_timeout").fetchone() == ("7s",)


@pytest.mark.parametrize(("bound", "expected"), [("7s", "7s"), ("0", "1min"), ("2h", "1min")])
def test_the_time_box_never_loosens_a_bound(shop: Shop, bound: str, expected: str) -> None:
    shop.load(ROWS)
    with psycopg.connect(shop.dsn) as conn:
        conn.execute(f"SET LOCAL statement_timeout = '{bound}'".encode())
        [outcome] = run_checks(
            conn, "public", [make_check("SELECT current_setting('statement_timeout') AS box")]
        )
    assert outcome.examples == (f'{{"box": "{expected}"}}',)


def test_checks_see_all_tables_as_they_will_be(dsn: str, tmp_path: Path) -> None:
    shop = Shop(dsn, tmp_path, make_pipeline(make_table(), make_table("boxes")))
    orphans = "SELECT * FROM items WHERE NOT EXISTS (SELECT FROM boxes WHERE boxes.id = items.id)"
    frames = {"items": ROWS, "boxes": ROWS.head(1)}
    staged = shop.stage(frames, checks=(make_check(orphans, "warning"),))
    shop.publish(staged)
    assert {outcome.unexpected_count for outcome in shop.report(staged.load).outcomes} == {2}


def test_checks_are_skipped_while_nothing_changes(shop: Shop) -> None:
    shop.load(ROWS)
    assert shop.load(ROWS, checks=(make_check(NULLS),)).outcomes == ()
