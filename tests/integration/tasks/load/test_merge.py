"""Merging, against an oracle in Python: only rows that differ are written, and never by an older version."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.errors import RetriableError
from tasks.handover import TableVerdict
from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection, limit_transaction, open_connection
from tasks.load.ddl import column_types, create_table, read_columns
from tasks.load.dispositions import merge as disposition
from tasks.load.staging import stage_rows
from tasks.pipeline import Table
from tests.integration.tasks.load.builders import NOON, Shop, make_pipeline, make_table, written
from tests.integration.tasks.load.values import FLOATS, MOMENTS, TEXTS

SCHEMA = pl.Schema(
    {
        "shelf": pl.String(),
        "id": pl.Int64(),
        "name": pl.String(),
        "price": pl.Float64(),
        "at": pl.Datetime("us", "UTC"),
    }
)
Key = tuple[str, int]
Values = tuple[str | None, float | None, Any]
Rows = Mapping[Key, Values]

KEYS = st.tuples(st.sampled_from(["", "a", '"', "\\."]), st.integers(0, 4))
ROWS = st.dictionaries(
    KEYS, st.tuples(TEXTS | st.none(), FLOATS | st.none(), MOMENTS | st.none()), max_size=12
)
TABLE = make_table("items", "shelf", "id")
VERSIONED = make_table("items", "shelf", "id", version_by="at")


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    with open_connection(dsn) as conn:
        yield conn


def merge(conn: Connection, folder: Path, table: Table, rows: Rows) -> Changes:
    """Stage rows and merge them, without the rest of a publication."""
    frame = pl.DataFrame([[*key, *values] for key, values in rows.items()], SCHEMA, orient="row")
    stage(conn, folder, table, frame)
    return merge_staged(conn, table, frame)


def stage(conn: Connection, folder: Path, table: Table, frame: pl.DataFrame) -> None:
    file = folder / "clean.parquet"
    frame.write_parquet(file)
    verdict = TableVerdict(
        table=table.name, resource=table.name, verdict="passed", transformed=frame.height, superseded=0,
        quarantined=0, clean_count=frame.height, clean=str(file),
    )  # fmt: skip
    assert stage_rows(conn, "load-1", table, verdict) == frame.height


def merge_staged(conn: Connection, table: Table, frame: pl.DataFrame) -> Changes:
    types = column_types("items", frame.schema)
    batch = Batch("public", table, "load-1", types, frame.height, NOON, is_whole=False)
    with conn.transaction():
        if not read_columns(conn, "public", table.name):
            create_table(conn, "public", table.name, types)
            return disposition.fill_new(conn, batch)
        changes = disposition.find_changes(conn, batch)
        disposition.write_rows(conn, batch, changes)
        disposition.delete_rows(conn, batch, changes)
        conn.execute("DROP TABLE changed_items")
        return changes


def read(conn: Connection) -> dict[Key, tuple[str, Values]]:
    """Where each row lies (its `ctid`, another one after every write), and its values."""
    rows = conn.execute("SELECT shelf, id, ctid::text, name, price, at FROM items").fetchall()
    return {row[:2]: (row[2], row[3:]) for row in rows}  # type: ignore[misc]


def same(left: Values, right: Values) -> bool:
    return all(a == b or (a != a and b != b) for a, b in zip(left, right, strict=True))  # noqa: PLR0124  NaN


def expect(old: Rows, new: Rows, *, versioned: bool) -> tuple[Rows, set[Key], set[Key]]:
    """The merged rows, and the keys that are inserted and updated."""
    inserted = set(new) - set(old)
    updated = {
        key
        for key in set(new) & set(old)
        if not same(old[key], new[key])
        and not (versioned and old[key][2] is not None and (new[key][2] is None or new[key][2] < old[key][2]))
    }
    return {**old, **{key: new[key] for key in inserted | updated}}, inserted, updated


@pytest.mark.parametrize("versioned", [False, True])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=ROWS, new=ROWS)
def test_a_merge_writes_the_rows_that_differ_and_no_other(
    conn: Connection, tmp_path: Path, old: Rows, new: Rows, versioned: bool
) -> None:
    table = VERSIONED if versioned else TABLE
    with conn.transaction(force_rollback=True):
        first = merge(conn, tmp_path, table, old)
        before = read(conn)
        second = merge(conn, tmp_path, table, new)
        after = read(conn)
        again = merge(conn, tmp_path, table, new)
        at_last = read(conn)

    assert (first.inserted, first.updated, first.is_first) == (len(old), 0, True)
    expected, inserted, updated = expect(old, new, versioned=versioned)
    assert (second.inserted, second.updated) == (len(inserted), len(updated))
    assert set(after) == set(expected)
    assert all(same(after[key][1], expected[key]) for key in expected)
    unwritten = {key for key in before if after[key][0] == before[key][0]}
    assert unwritten == set(before) - updated
    assert again.is_nothing
    assert repr(at_last) == repr(after)


def test_an_older_version_does_not_overwrite(dsn: str, tmp_path: Path) -> None:
    shop = Shop(dsn, tmp_path, make_pipeline(make_table(version_by="version")))
    schema = {"id": pl.Int64, "version": pl.Int64, "name": pl.String}
    for version, name in [(2, "two"), (1, "one"), (2, "two again"), (None, "none")]:
        shop.load(pl.DataFrame([[1, version, name]], schema, orient="row"))
    assert shop.rows() == [(1, 2, "two again")]


def test_an_unchanged_merge_writes_no_wal_to_speak_of(conn: Connection, tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": range(20_000), "value": "value"})

    def merge(inserted: int) -> int:
        stage(conn, tmp_path, make_table(), frame)
        [(before,)] = conn.execute("SELECT pg_current_wal_insert_lsn()::text").fetchall()
        assert merge_staged(conn, make_table(), frame).inserted == inserted
        [(wal,)] = conn.execute("SELECT pg_current_wal_insert_lsn() - %s::pg_lsn", (before,)).fetchall()
        return int(str(wal))

    merge(20_000)
    # Locking the rows would take 54 bytes each; the catalog's entries for a temporary table take some. The
    # server counts everybody's WAL, other tests' too: the least of some tries is no less than our own.
    assert any(merge(0) < 200_000 for _ in range(10))


def test_a_table_of_key_columns_only_can_be_merged(shop: Shop) -> None:
    shop.load(pl.DataFrame({"id": [1, 2]}))
    assert written(shop.load(pl.DataFrame({"id": [2, 3]}))) == (1, 0, 1)
    assert shop.rows() == [(1,), (2,), (3,)]


def test_new_columns_are_added_and_missing_ones_are_null(shop: Shop) -> None:
    shop.load(pl.DataFrame({"id": [1, 2], "old": ["a", "b"]}))
    shop.load(pl.DataFrame({"id": [2, 3], "new": [True, False]}))
    assert shop.rows() == [(1, "a", None), (2, "b", True), (3, None, False)]


def test_loading_twice_is_loading_once(shop: Shop) -> None:
    frame = pl.DataFrame({"id": [1, 2], "value": ["a", None]})
    shop.load(frame)
    before = shop.query("SELECT xmin, ctid, * FROM items")
    assert written(shop.load(frame)) == (0, 0, 2)
    assert shop.query("SELECT xmin, ctid, * FROM items") == before


def test_a_view_over_the_table_stays_valid(shop: Shop) -> None:
    shop.load(pl.DataFrame({"id": [1]}))
    shop.execute("CREATE VIEW goods AS SELECT * FROM items")
    shop.load(pl.DataFrame({"id": [2]}))
    assert shop.query("SELECT * FROM goods ORDER BY 1") == [(1,), (2,)]


def test_rows_that_others_point_at_are_updated_in_place(dsn: str, tmp_path: Path) -> None:
    shop = Shop(dsn, tmp_path, make_pipeline())
    shop.load(pl.DataFrame({"id": [1], "value": ["a"]}))
    shop.execute("CREATE TABLE orders (item bigint REFERENCES items ON DELETE CASCADE)")
    shop.execute("INSERT INTO orders VALUES (1)")
    shop.load(pl.DataFrame({"id": [1], "value": ["b"]}))
    assert shop.rows("orders") == [(1,)]


def test_columns_are_found_by_name_not_by_order(shop: Shop) -> None:
    frame = pl.DataFrame({"id": [1], "a": ["a"], "b": ["b"]})
    shop.load(frame)
    assert written(shop.load(frame.select("b", "id", "a"))) == (0, 0, 1)


def test_a_row_another_session_holds_is_waited_for_then_given_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.load(pl.DataFrame({"id": [1], "value": ["a"]}))
    monkeypatch.setattr(
        "tasks.load.publication.limit_transaction",
        lambda conn, statement_timeout_s: limit_transaction(
            conn, statement_timeout_s=statement_timeout_s, lock_timeout_s=0.1
        ),
    )
    with psycopg.connect(shop.dsn) as holder:
        holder.execute("UPDATE items SET value = 'mine'")
        with pytest.raises(RetriableError, match="lock timeout"):
            shop.load(pl.DataFrame({"id": [1], "value": ["b"]}))


@pytest.mark.parametrize("mark", [True, "2024-05-01"])
def test_a_tombstone_deletes_and_is_no_column_of_the_table(dsn: str, tmp_path: Path, mark: object) -> None:
    table = make_table(tombstone="gone", version_by="version")
    shop = Shop(dsn, tmp_path, make_pipeline(table))
    schema = {"id": pl.Int64, "version": pl.Int64, "gone": pl.Boolean if mark is True else pl.String}
    kept = False if mark is True else None
    shop.load(pl.DataFrame([[1, 1, kept], [2, 2, kept], [3, 1, mark]], schema, orient="row"))
    assert shop.rows() == [(1, 1), (2, 2)]
    report = shop.load(pl.DataFrame([[1, 2, mark], [2, 1, mark], [4, 1, mark]], schema, orient="row"))
    assert shop.rows() == [(2, 2)], "an older tombstone deletes nothing"
    assert (report.tables[0].deleted, written(report)) == (1, (0, 0, 2))
