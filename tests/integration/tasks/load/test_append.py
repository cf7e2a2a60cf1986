"""Appending: a load's rows once, by key or without."""

from pathlib import Path

import polars as pl

from tests.integration.tasks.load.builders import Shop, make_pipeline, make_report, make_table, written

ROWS = pl.DataFrame({"id": [1, 2], "value": ["a", "b"]})


def test_with_a_key_only_new_rows_are_added_and_old_ones_stay(dsn: str, tmp_path: Path) -> None:
    shop = Shop(dsn, tmp_path, make_pipeline(make_table(disposition="append")))
    shop.load(ROWS)
    changed = pl.DataFrame({"id": [2, 3], "value": ["changed", "c"]})
    assert written(shop.load(changed)) == (1, 0, 1)
    assert shop.rows() == [(1, "a"), (2, "b"), (3, "c")]


def test_without_a_key_every_row_is_added_once_a_load(dsn: str, tmp_path: Path) -> None:
    table = make_table(disposition="append", primary_key=())
    query = "SELECT value, count(*) FROM affected JOIN items USING (value) GROUP BY value"
    report = make_report(tmp_path, query, "value")
    shop = Shop(dsn, tmp_path, make_pipeline(table, reports=[report], incremental=False))
    shop.load(ROWS)
    staged = shop.stage(ROWS.head(1))
    shop.publish(staged)
    shop.publish(shop.judge(staged.load, ROWS.head(1)))
    assert shop.rows() == [(1, "a"), (1, "a"), (2, "b")]
    assert shop.rows("totals") == [("a", 2), ("b", 1)]
