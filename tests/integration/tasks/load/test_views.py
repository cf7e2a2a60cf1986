"""What a dashboard reads of the ledger."""

import polars as pl

from tests.integration.tasks.load.builders import Shop, make_outcome, with_reason


def test_freshness_tells_when_a_table_was_published_and_when_it_changed(shop: Shop) -> None:
    row = pl.DataFrame({"id": [1]})
    loads = [shop.load(row).load_id, shop.load(row).load_id]
    [found] = shop.query(
        "SELECT schema_name, table_name, pipeline, load_id, published_at > changed_at, "
        "minutes_since_published BETWEEN 0 AND 5 FROM assay.table_freshness"
    )
    assert found == ("public", "items", "shop", loads[1], True, True)


def test_quality_history_has_a_row_for_each_expectation_and_attempt(shop: Shop) -> None:
    for failing in (1, 2):
        outcome = make_outcome(unexpected_count=failing, rows_seen=8)
        shop.load(pl.DataFrame({"id": [1]}), outcomes=(outcome,))
    assert shop.query(
        "SELECT pipeline, table_name, column_name, state, unexpected_percent FROM assay.quality_history "
        "ORDER BY evaluated_at"
    ) == [("shop", "items", "value", "failed", 12.5), ("shop", "items", "value", "failed", 25)]


def test_open_quarantine_counts_rows_by_reason_until_a_good_version_comes(shop: Shop) -> None:
    bad = pl.DataFrame({"id": [1, 2]})
    shop.load(pl.DataFrame({"id": [3]}), quarantine=with_reason(bad, "value: too small"))
    count = "SELECT table_name, reason, rows FROM assay.open_quarantine"
    assert shop.query(count) == [("items", "value: too small", 2)]
    shop.load(bad.head(1))
    assert shop.query(count) == [("items", "value: too small", 1)]


def test_open_blocks_has_what_waits_and_nothing_else(shop: Shop) -> None:
    blocking = make_outcome(severity="critical")
    row = pl.DataFrame({"id": [1]})
    staged = shop.stage(row, verdict="blocked", outcomes=(blocking,))
    assert shop.publish(staged) == "blocked"
    [(pipeline, load_id, attempts, error)] = shop.query(
        "SELECT pipeline, load_id, attempts, error FROM assay.open_blocks"
    )
    assert (pipeline, load_id, attempts) == ("shop", staged.load.load_id, 1)
    assert error.startswith("Blocked by 1 of 1 expectations")
    assert shop.query("SELECT pipeline, status FROM assay.latest_attempts") == [("shop", "blocked")]
    shop.load(row)
    assert shop.query("SELECT load_id FROM assay.open_blocks") == []
    assert shop.query("SELECT pipeline, status FROM assay.latest_attempts") == [("shop", "published")]
