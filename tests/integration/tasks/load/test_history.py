"""What the ledger remembers of attempts: which ones are news."""

import msgspec
import polars as pl
import pytest

from tasks.errors import ConfigurationError
from tasks.handover import ExpectationOutcome, LoadReport
from tasks.load import history
from tasks.load.connection import open_connection
from tasks.load.load import accept_load, read_blocked, record_failure
from tests.integration.tasks.load.builders import NOON, Shop, make_outcome, with_reason

ROWS = pl.DataFrame({"id": [1], "value": ["a"]})
BAD = pl.DataFrame({"id": [2], "value": ["b"]})


def publish(shop: Shop, *outcomes: ExpectationOutcome) -> LoadReport:
    return shop.load(ROWS, outcomes=outcomes)


def block(shop: Shop, *identities: str, table: str = "items") -> LoadReport:
    outcomes = tuple(make_outcome(name, severity="critical", table=table) for name in identities)
    return shop.load(ROWS, verdict="blocked", outcomes=outcomes)


def fail(shop: Shop, error: str = "no network") -> LoadReport:
    load = shop.begin()
    record_failure(shop.target, load, error)
    return shop.report(load)


def crash(shop: Shop) -> None:
    shop.begin()


def news(report: LoadReport) -> tuple[str, bool, bool]:
    return report.status, report.alert, report.recovered


def test_a_publication_is_news_each_time(shop: Shop) -> None:
    assert [news(publish(shop)) for _ in range(2)] == [("published", True, False)] * 2


def test_a_block_is_news_until_it_repeats(shop: Shop) -> None:
    assert news(block(shop, "a", "b")) == ("blocked", True, False)
    assert news(block(shop, "b", "a")) == ("blocked", False, False)


@pytest.mark.parametrize("identities", [("a", "b"), ("b",)])
def test_a_block_for_other_reasons_is_news(shop: Shop, identities: tuple[str, ...]) -> None:
    block(shop, "a")
    assert news(block(shop, *identities)) == ("blocked", True, False)


def test_a_block_by_the_same_expectation_on_another_table_is_news(shop: Shop) -> None:
    block(shop, "a")
    assert news(block(shop, "a", table="boxes")) == ("blocked", True, False)


def test_the_first_publication_after_a_block_is_a_recovery(shop: Shop) -> None:
    block(shop, "a")
    assert news(publish(shop)) == ("published", True, True)
    assert news(publish(shop)) == ("published", True, False)


def test_an_empty_load_after_a_failure_is_a_recovery(shop: Shop) -> None:
    fail(shop)
    assert news(shop.load(ROWS.clear())) == ("no new rows", True, True)


def test_a_failure_is_news_until_it_repeats(shop: Shop) -> None:
    assert [news(fail(shop)) for _ in range(2)] == [("failed", True, False), ("failed", False, False)]


def test_a_block_after_a_failure_is_news_and_so_is_the_reverse(shop: Shop) -> None:
    fail(shop)
    assert news(block(shop, "a")) == ("blocked", True, False)
    assert news(fail(shop)) == ("failed", True, False)


def test_a_crash_between_does_not_make_a_block_news_again(shop: Shop) -> None:
    block(shop, "a")
    crash(shop)
    assert news(block(shop, "a")) == ("blocked", False, False)


def test_a_recovery_across_a_crash_is_one(shop: Shop) -> None:
    block(shop, "a")
    crash(shop)
    assert news(publish(shop)) == ("published", True, True)


def test_other_pipelines_are_another_story(shop: Shop) -> None:
    other = Shop(shop.dsn, shop.folder, shop.pipeline.model_copy(update={"name": "other"}))
    block(shop, "a")
    assert news(block(other, "a")) == ("blocked", True, False)
    assert news(publish(other)) == ("published", True, True)
    assert news(block(shop, "a")) == ("blocked", False, False)


def alerts(report: LoadReport) -> list[bool]:
    return [outcome.alert for outcome in report.outcomes]


def test_an_outcome_alerts_when_its_state_changes(shop: Shop) -> None:
    states = ["passed", "failed", "failed", "error", "failed", "passed", "failed"]
    told = [alerts(publish(shop, make_outcome("a", state)))[0] for state in states]
    assert told[1:] == [True, False, True, True, True, True]


def test_an_outcome_repeats_across_blocked_attempts(shop: Shop) -> None:
    assert alerts(block(shop, "a")) == [True]
    assert alerts(block(shop, "a", "b")) == [False, True]
    assert alerts(publish(shop, make_outcome("a", severity="warning"))) == [False]


def test_the_same_expectation_on_another_table_alerts_by_itself(shop: Shop) -> None:
    publish(shop, make_outcome("a"))
    assert alerts(publish(shop, make_outcome("a", table="boxes"))) == [True]


def test_quarantined_rows_alert_when_some_are_new(shop: Shop) -> None:
    outcome = make_outcome("a", "quarantined")
    for rows, alert in [(BAD, True), (BAD, False), (BAD.with_columns(value=pl.lit("c")), True)]:
        assert alerts(shop.load(ROWS, outcomes=(outcome,), quarantine=with_reason(rows))) == [alert]


def test_a_report_reads_back_what_was_recorded(shop: Shop) -> None:
    outcomes = (make_outcome("a", "passed", alert=True), make_outcome("b", "failed", message="three"))
    report = shop.load(ROWS, outcomes=outcomes, rejected=[("$", "odd", "{}")], superseded=4)
    assert report.outcomes == outcomes
    [counts] = report.tables
    assert msgspec.structs.asdict(counts) == {
        "table": "items", "verdict": "warned", "received": 100, "rejected": 1, "superseded": 4,
        "quarantined": 0, "newly_quarantined": 1, "inserted": 1, "updated": 0, "unchanged": 0,
        "expectations": 2, "expectations_passed": 1, "deleted": 0, "grown_bytes": 0,
    }  # fmt: skip
    assert report.ended_at > report.started_at


def test_an_unknown_attempt_is_said_to_be(shop: Shop) -> None:
    with (
        open_connection(shop.dsn) as conn,
        pytest.raises(ConfigurationError, match="no attempt 7 of"),
    ):
        history.read_report(conn, "x", 7)


def test_lines_are_the_latest_attempts_newest_first(shop: Shop) -> None:
    other = Shop(shop.dsn, shop.folder, shop.pipeline.model_copy(update={"name": "other"}))
    publish(shop)
    fail(other)
    crash(shop)
    with open_connection(shop.dsn) as conn:
        lines = history.read_lines(conn)
        assert [(line.pipeline, line.status) for line in lines] == [
            ("shop", "running"),
            ("other", "failed"),
            ("shop", "published"),
        ]
        assert [line.inserted for line in history.read_lines(conn, "shop", limit=2)] == [0, 1]


def test_an_accepted_load_is_published_with_name_and_reason(shop: Shop) -> None:
    blocked = block(shop, "a")
    load = shop.begin()
    with open_connection(shop.dsn) as conn:
        files = read_blocked(conn, blocked.load_id)
    accept_load(shop.target, shop.pipeline, load, files, "known and harmless")
    report = shop.report(load)
    assert (report.status, report.load_id, report.accept_reason) == (
        "published",
        blocked.load_id,
        "known and harmless",
    )
    assert report.accepted_by
    assert shop.rows() == [(1, "a")]


def test_an_accepted_load_moves_the_cursor_past_what_stays_in_quarantine(shop: Shop) -> None:
    shop.load(
        ROWS.clear(),
        verdict="blocked",
        outcomes=(make_outcome(severity="critical"),),
        quarantine=with_reason(BAD),
        carries_cursor=True,
        cursor=NOON.isoformat(),
    )
    load = shop.begin()
    with open_connection(shop.dsn) as conn:
        files = read_blocked(conn, load.load_id)
    accept_load(shop.target, shop.pipeline, load, files, "known and harmless")
    assert shop.query("SELECT value FROM assay.cursors") == [(NOON.isoformat(),)]


@pytest.mark.parametrize(("load_id", "message"), [("x", "is no load 'x'"), (None, "is published; only")])
def test_only_a_blocked_load_is_accepted(shop: Shop, load_id: str | None, message: str) -> None:
    published = publish(shop)
    with open_connection(shop.dsn) as conn, pytest.raises(ConfigurationError, match=message):
        read_blocked(conn, load_id or published.load_id)


def test_a_blocked_load_whose_files_are_gone_is_said_to_be(shop: Shop) -> None:
    blocked = block(shop, "a")
    for file in shop.folder.glob("*/work-*/judged.json"):
        file.unlink()
    with open_connection(shop.dsn) as conn, pytest.raises(ConfigurationError, match="not on this machine"):
        read_blocked(conn, blocked.load_id)
