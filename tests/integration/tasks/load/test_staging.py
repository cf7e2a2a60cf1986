"""Staging: filled and committed outside of the publication, and dropped by whoever comes next."""

import time
from pathlib import Path

import polars as pl
import psycopg
import pytest

from tasks.errors import ConfigurationError
from tasks.load import ledger
from tasks.load.connection import open_connection
from tasks.load.staging import drop_leftovers, prepare_staging, staging_name
from tests.integration.tasks.load.builders import Shop, make_pipeline

ROWS = pl.DataFrame({"id": [1, 2]})
STAGED = "SELECT tablename FROM pg_tables WHERE schemaname = 'assay_staging' ORDER BY 1"


def test_staged_rows_are_committed_and_analyzed(shop: Shop) -> None:
    staged = shop.stage(ROWS)
    name = staging_name(staged.load.load_id, "items")
    assert shop.query("SELECT reltuples FROM pg_class WHERE relname = %s", name) == [(2,)]


def test_a_staging_is_analyzed_by_its_key_and_the_rest_of_a_new_table_left_to_autovacuum(
    shop: Shop,
) -> None:
    rows = ROWS.with_columns(value=pl.lit("a"))
    analyzed = "SELECT attname FROM pg_stats WHERE tablename = %s"
    for is_first in (True, False):
        staged = shop.stage(rows)
        assert shop.query(analyzed, staging_name(staged.load.load_id, "items")) == [("id",)]
        if is_first:
            assert shop.publish(staged) == "published"
            # What autovacuum goes by; before version 15 it hears of it some time later.
            deadline = time.monotonic() + 10
            while shop.query("SELECT pg_stat_get_mod_since_analyze('items'::regclass)") != [(rows.height,)]:
                assert time.monotonic() < deadline
                time.sleep(0.05)


def test_staging_again_replaces_what_was_staged(shop: Shop) -> None:
    staged = shop.stage(ROWS)
    shop.stage(ROWS.head(1), load=staged.load)
    assert shop.publish(shop.judge(staged.load, ROWS.head(1))) == "published"
    assert shop.rows() == [(1,)]


def test_a_blocked_table_is_not_staged(shop: Shop) -> None:
    shop.stage(ROWS, verdict="blocked")
    assert shop.query(STAGED) == []


def test_leftovers_are_dropped_and_those_of_other_pipelines_are_not(shop: Shop, tmp_path: Path) -> None:
    other = Shop(shop.dsn, tmp_path, make_pipeline(name="other"))
    mine, theirs = shop.stage(ROWS), other.stage(ROWS)
    with open_connection(shop.dsn) as conn:
        assert drop_leftovers(conn, ledger.load_ids(conn, "shop")) == 1
        assert drop_leftovers(conn, []) == 0
    assert shop.query(STAGED) == [(staging_name(theirs.load.load_id, "items"),)]
    assert mine.load.load_id != theirs.load.load_id


def test_staging_can_be_prepared_again(dsn: str) -> None:
    with open_connection(dsn) as conn:
        prepare_staging(conn)
        prepare_staging(conn)


def test_an_interrupted_copy_leaves_nothing(shop: Shop) -> None:
    with pytest.raises(ConfigurationError, match="cannot hold"):
        shop.stage(pl.DataFrame({"id": [1, 2], "value": ["a", "b\x00"]}))
    assert shop.query(STAGED) == []


def test_while_rows_are_staged_nobody_waits_for_a_snapshot(shop: Shop) -> None:
    shop.stage(ROWS)
    with psycopg.connect(shop.dsn, autocommit=True) as conn:
        holders = conn.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() "
            "AND datname = current_database()"
        ).fetchall()
    assert holders == []
