"""Rows that an API deletes without a trace go with the next full refresh, and with no other load."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from tasks.load.connection import open_connection
from tasks.load.refreshing import is_refresh_due
from tasks.pipeline import Incremental, Resource, Table
from tests.integration.tasks.load.builders import Item, Shop, make_pipeline, make_table

WEEK = dt.timedelta(days=7)


def make_shop(dsn: str, folder: Path, *, every: dt.timedelta | None = WEEK, **options: Any) -> Shop:
    table: Table = make_table(**options)
    changes = Incremental(field="updated_at", param="since", full_refresh_every=every)
    resource = Resource(name="items", path="/", record=Item, incremental=changes)
    return Shop(dsn, folder, make_pipeline(table).model_copy(update={"resources": (resource,)}))


def items(*numbers: int, **columns: Any) -> pl.DataFrame:
    return pl.DataFrame({"id": numbers}, schema={"id": pl.Int64}).with_columns(**columns)


def load(shop: Shop, frame: pl.DataFrame, at: str, *, full_refresh: bool = False) -> list[int]:
    begun = shop.begin(full_refresh=full_refresh)
    shop.publish(shop.stage(frame, load=begun, cursor=at))
    return [row[0] for row in shop.rows()]


def test_an_absent_row_goes_with_a_full_refresh_and_not_before(dsn: str, tmp_path: Path) -> None:
    shop = make_shop(dsn, tmp_path)
    assert load(shop, items(1, 2, 3), "2024-01-01T00:00:00Z") == [1, 2, 3]
    assert load(shop, items(4), "2024-01-02T00:00:00Z") == [1, 2, 3, 4]
    assert load(shop, items(1, 3, 4, 5), "2024-01-03T00:00:00Z", full_refresh=True) == [1, 3, 4, 5]
    assert load(shop, items(6), "2024-01-04T00:00:00Z") == [1, 3, 4, 5, 6]


def test_without_the_declaration_a_full_refresh_deletes_nothing(dsn: str, tmp_path: Path) -> None:
    shop = make_shop(dsn, tmp_path, every=None)
    assert load(shop, items(1, 2, 3), "2024-01-01T00:00:00Z") == [1, 2, 3]
    assert load(shop, items(1, 3), "2024-01-02T00:00:00Z", full_refresh=True) == [1, 2, 3]


def test_a_full_refresh_that_brings_next_to_nothing_is_blocked(dsn: str, tmp_path: Path) -> None:
    shop = make_shop(dsn, tmp_path)
    load(shop, items(1, 2, 3, 4, 5), "2024-01-01T00:00:00Z")
    assert load(shop, items(1), "2024-01-02T00:00:00Z", full_refresh=True) == [1, 2, 3, 4, 5]


def is_due(shop: Shop) -> bool:
    with open_connection(shop.dsn) as conn:
        return is_refresh_due(conn, shop.pipeline)


def test_a_refresh_is_due_when_the_last_was_published_long_ago(dsn: str, tmp_path: Path) -> None:
    shop = make_shop(dsn, tmp_path)
    assert is_due(shop)
    shop.begin(full_refresh=True)
    assert is_due(shop), "one that is not published does not count"
    load(shop, items(1), "2024-01-01T00:00:00Z", full_refresh=True)
    assert not is_due(shop)
    shop.execute("UPDATE assay.loads SET started_at = started_at - interval '8 days'")
    load(shop, items(2), "2024-01-02T00:00:00Z")
    assert is_due(shop), "an increment does not count"


def test_without_the_declaration_none_is_ever_due(dsn: str, tmp_path: Path) -> None:
    assert not is_due(make_shop(dsn, tmp_path, every=None))
