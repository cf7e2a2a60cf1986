"""Replacing by diff: the table is what the load holds, and nothing around it notices."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.errors import ConfigurationError
from tasks.load.connection import Connection, open_connection
from tasks.load.load import accept_load, read_blocked
from tests.integration.tasks.load import playing
from tests.integration.tasks.load.builders import (
    Shop,
    make_pipeline,
    make_report,
    make_table,
    with_reason,
    written,
)

SCHEMA = pl.Schema({"id": pl.Int64(), "value": pl.String(), "price": pl.Float64()})
TEXTS = st.none() | st.sampled_from(["", "a", "NULL"])
PRICES = st.none() | st.sampled_from([0.0, 1.5, float("nan"), float("inf")])
KEYED = st.dictionaries(st.integers(0, 6), st.tuples(TEXTS, PRICES), max_size=7)
KEYLESS = st.lists(st.tuples(st.integers(0, 1), TEXTS, PRICES), max_size=8)
TABLE = make_table(disposition="replace")
HEAP = make_table(disposition="replace", primary_key=())
FIXTURES = [HealthCheck.function_scoped_fixture]


def goods(*rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), SCHEMA, orient="row")


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    with open_connection(dsn) as conn:
        yield conn


@pytest.fixture
def shop(dsn: str, tmp_path: Path) -> Shop:
    """A table of three rows that is replaced by every load."""
    shop = Shop(dsn, tmp_path, make_pipeline(TABLE, incremental=False))
    shop.load(goods((1, "a", 1), (2, "b", 2), (3, "c", 3)))
    return shop


def read(conn: Connection) -> list[tuple[str, tuple[Any, ...]]]:
    rows = conn.execute("SELECT ctid::text, id, value, price FROM items").fetchall()
    return [(str(row[0]), row[1:]) for row in rows]


def as_bag(rows: Iterable[tuple[Any, ...]]) -> Counter[str]:
    """Rows with their copies, where NaN equals NaN."""
    return Counter(map(repr, rows))


@settings(max_examples=25, suppress_health_check=FIXTURES)
@given(old=KEYED, new=KEYED)
def test_a_replaced_table_is_what_the_load_holds_and_only_differing_rows_are_written(
    conn: Connection, tmp_path: Path, old: dict[int, Any], new: dict[int, Any]
) -> None:
    rows = [[(key, *values) for key, values in each.items()] for each in (old, new)]
    with conn.transaction(force_rollback=True):
        playing.load(conn, tmp_path, TABLE, goods(*rows[0]))
        before = dict(read(conn))
        changes = playing.load(conn, tmp_path, TABLE, goods(*rows[1]))
        after = read(conn)
    same = as_bag(rows[0]) & as_bag(rows[1])
    assert as_bag(row for _, row in after) == as_bag(rows[1])
    assert (changes.inserted, changes.deleted) == (len(new.keys() - old.keys()), len(old.keys() - new.keys()))
    assert changes.unchanged == same.total() == sum(place in before for place, _ in after)
    assert changes.inserted + changes.updated + changes.unchanged == len(new)


@settings(max_examples=25, suppress_health_check=FIXTURES)
@given(old=KEYLESS, new=KEYLESS)
def test_without_a_key_rows_count_as_often_as_they_are_there(
    conn: Connection, tmp_path: Path, old: list[Any], new: list[Any]
) -> None:
    with conn.transaction(force_rollback=True):
        playing.load(conn, tmp_path, HEAP, goods(*old))
        before = dict(read(conn))
        changes = playing.load(conn, tmp_path, HEAP, goods(*new))
        after = read(conn)
    same = (as_bag(old) & as_bag(new)).total()
    assert as_bag(row for _, row in after) == as_bag(new)
    assert sum(place in before for place, _ in after) == changes.unchanged == same
    assert (changes.inserted, changes.deleted) == (len(new) - same, len(old) - same)


def test_view_grant_index_and_foreign_key_survive_and_an_old_reader_sees_the_old_table(shop: Shop) -> None:
    shop.execute("GRANT SELECT ON items TO pg_monitor")
    shop.execute("CREATE INDEX by_value ON items (value)")
    shop.execute("CREATE VIEW dear AS SELECT id FROM items WHERE price >= 3")
    shop.execute("CREATE TABLE orders (item bigint REFERENCES items ON DELETE CASCADE)")
    shop.execute("INSERT INTO orders VALUES (2), (3)")
    facts = (
        "SELECT 'items'::regclass::oid, has_table_privilege('pg_monitor', 'items', 'SELECT'), "
        "(SELECT count(*) FROM pg_indexes WHERE tablename = 'items'), (SELECT count(*) FROM orders)"
    )
    before = shop.query(facts)
    with psycopg.connect(shop.dsn) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT FROM pg_class LIMIT 1")
        report = shop.load(goods((2, "b", 2), (3, "new", 30), (4, "d", 4)))
        seen = reader.execute("SELECT id, value FROM items ORDER BY 1").fetchall()

    assert seen == [(1, "a"), (2, "b"), (3, "c")]
    assert (written(report), report.tables[0].deleted) == ((1, 1, 1), 1)
    assert shop.query("SELECT * FROM dear ORDER BY 1") == [(3,), (4,)]
    assert shop.query(facts) == before


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("CASCADE", r"would reach 1 rows of orders, by its foreign key orders_item_fkey \(ON DELETE CASCADE"),
        ("SET NULL", r"ON DELETE SET NULL"),
        ("NO ACTION", r'violates foreign key.*Key \(id\)=\(1\) is still referenced from table "orders"'),
    ],
)
def test_a_deletion_that_would_reach_other_tables_is_refused(shop: Shop, action: str, message: str) -> None:
    shop.execute(f"CREATE TABLE orders (item bigint REFERENCES items ON DELETE {action})")
    shop.execute("INSERT INTO orders VALUES (1)")
    before = shop.snapshot()
    with pytest.raises(ConfigurationError, match=message):
        shop.load(goods((2, "b", 2), (3, "c", 3)))
    assert shop.snapshot() == before


def test_tables_that_point_at_each_other_are_replaced_together(dsn: str, tmp_path: Path) -> None:
    tables = [make_table(name, disposition="replace") for name in ("shelves", "boxes")]
    shop = Shop(dsn, tmp_path, make_pipeline(*tables, incremental=False))
    shelves, boxes = pl.DataFrame({"id": [1, 2]}), pl.DataFrame({"id": [1, 2], "shelf": [1, 2]})
    shop.load({"shelves": shelves, "boxes": boxes})
    shop.execute("ALTER TABLE boxes ADD FOREIGN KEY (shelf) REFERENCES shelves")
    later = pl.DataFrame({"id": [2, 3]}), pl.DataFrame({"id": [2, 3], "shelf": [3, 3]})
    shop.load({"shelves": later[0], "boxes": later[1]})
    assert (shop.rows("shelves"), shop.rows("boxes")) == ([(2,), (3,)], [(2, 3), (3, 3)])


@pytest.mark.parametrize("left", [0, 1])
def test_a_load_that_would_leave_less_than_half_is_blocked_until_a_person_accepts_it(
    shop: Shop, left: int
) -> None:
    few = goods((1, "a", 1)).head(left)
    report = shop.load(few)
    assert (report.status, len(shop.rows())) == ("blocked", 3)
    [outcome] = report.outcomes
    assert (outcome.expectation, outcome.blocks) == ("table_does_not_shrink", True)
    assert f"would leave {left} of 3" in str(outcome.message)

    shop.pipeline = make_pipeline(make_table(disposition="replace", allow_shrink=True), incremental=False)
    report = shop.load(few)
    assert (report.status, len(shop.rows())) == ("published", left)


def test_a_person_accepts_a_load_that_shrinks_the_table(shop: Shop) -> None:
    blocked = shop.load(goods((1, "a", 1)))
    load = shop.begin()
    with open_connection(shop.dsn) as conn:
        files = read_blocked(conn, blocked.load_id)
    accept_load(shop.target, shop.pipeline, load, files, "the shop closed two of three")
    report = shop.report(load)
    assert (report.status, report.tables[0].deleted, report.recovered) == ("published", 2, True)
    assert [row[:2] for row in shop.rows()] == [(1, "a")]


def test_a_good_row_whose_new_version_is_quarantined_stays(shop: Shop) -> None:
    bad = with_reason(goods((3, "bad", -1), (4, "bad", -1)))
    report = shop.load(goods((1, "a", 1), (2, "b", 2)), quarantine=bad)
    assert (report.status, report.tables[0].deleted) == ("published", 0)
    assert [row[:2] for row in shop.rows()] == [(1, "a"), (2, "b"), (3, "c")]

    shop.load(goods((1, "a", 1), (2, "b", 2)))
    assert [row[0] for row in shop.rows()] == [1, 2]
    assert shop.query("SELECT count(*) FROM assay.quarantine WHERE closed_at IS NULL") == [(0,)]


def test_while_records_are_rejected_absent_rows_stay_and_people_are_told(shop: Shop) -> None:
    """Nobody knows the key of a record that could not be read: any absent row may be its old version."""
    report = shop.load(goods((1, "new", 1), (2, "b", 2)), rejected=[("$.id", "Expected `int`", "{}")])
    assert [row[:2] for row in shop.rows()] == [(1, "new"), (2, "b"), (3, "c")]
    [outcome] = report.outcomes
    assert (outcome.expectation, outcome.severity) == ("absent_rows_are_deleted", "warning")
    assert (outcome.unexpected_count, report.tables[0].verdict) == (1, "warned")


def test_a_report_over_a_replaced_table_forgets_what_is_gone(dsn: str, tmp_path: Path) -> None:
    for table in (TABLE, HEAP):
        name = f"counts_{len(table.primary_key)}"
        query = "SELECT value, count(*) FROM affected JOIN items USING (value) GROUP BY value"
        report = make_report(tmp_path, query, "value", name=name)
        shop = Shop(dsn, tmp_path, make_pipeline(table, reports=[report], incremental=False))
        shop.execute("DROP TABLE IF EXISTS items")
        shop.load(goods((1, "a", 1), (2, "b", 2), (3, "b", 3)))
        shop.load(goods((2, "c", 2), (3, "b", 3)))
        assert shop.rows(name) == [("b", 1), ("c", 1)]


def test_two_pipelines_may_not_replace_one_table(shop: Shop, tmp_path: Path) -> None:
    other = Shop(shop.dsn, tmp_path, make_pipeline(name="other"))
    with pytest.raises(ConfigurationError, match=r"is written by pipeline 'shop' \(replace\), and 'other'"):
        other.load(goods((9, "z", 9)))
