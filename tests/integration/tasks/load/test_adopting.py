"""A first load: what is staged becomes the table, with the table's privileges and none of staging's."""

import polars as pl
import psycopg
import pytest

from tasks.load.adopting import index_early
from tasks.load.connection import open_connection
from tasks.load.staging import staging_name
from tests.integration.tasks.load.builders import Shop, make_pipeline, make_table

ROWS = pl.DataFrame({"id": [1, 2], "value": ["a", "b"]})
KEYS = (
    "SELECT relname, indisprimary FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
    "WHERE indrelid = 'items'::regclass"
)
FILE = "SELECT pg_relation_filenode(to_regclass(%s))"


def test_a_first_load_writes_no_row_twice(shop: Shop) -> None:
    staged = shop.stage(ROWS)
    file = shop.query(FILE, f'assay_staging."{staging_name(staged.load.load_id, "items")}"')

    assert shop.publish(staged) == "published"

    assert shop.query(FILE, "items") == file
    assert shop.rows() == [(1, "a"), (2, "b")]
    assert shop.query("SELECT relpersistence, relname FROM pg_class WHERE oid = 'items'::regclass") == [
        ("p", "items")
    ]
    assert shop.query("SELECT tablename FROM pg_tables WHERE schemaname = 'assay_staging'") == []
    assert shop.query("SELECT indisprimary FROM pg_index WHERE indrelid = 'items'::regclass") == [(True,)]


def test_the_index_that_staging_brings_is_the_key(shop: Shop) -> None:
    staged = shop.stage(ROWS)
    name = staging_name(staged.load.load_id, "items")
    with open_connection(shop.dsn) as conn:
        index_early(conn, name, shop.pipeline.table("items"), statement_timeout_s=60)
    index = "SELECT pg_relation_filenode(indexrelid) FROM pg_index WHERE indrelid = to_regclass(%s)"
    file = shop.query(index, f'assay_staging."{name}"')

    assert shop.publish(staged) == "published"

    assert shop.query(index, "items") == file
    assert shop.query(KEYS) == [("items_pkey", True)]
    nullable = "SELECT is_nullable FROM information_schema.columns WHERE table_name = 'items' ORDER BY 1"
    assert shop.query(nullable) == [("NO",), ("YES",)]


def test_an_indexed_table_is_not_read_for_its_key(shop: Shop) -> None:
    staged = shop.stage(ROWS)
    name = staging_name(staged.load.load_id, "items")
    with open_connection(shop.dsn) as conn:
        index_early(conn, name, shop.pipeline.table("items"), statement_timeout_s=60)
    assert shop.query(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnotnull AND attnum > 0",
        f'assay_staging."{name}"',
    ) == [("id",)]


def test_a_table_with_nulls_in_its_key_gets_no_index(shop: Shop) -> None:
    staged = shop.stage(ROWS)
    name = staging_name(staged.load.load_id, "items")
    shop.execute(f"INSERT INTO assay_staging.\"{name}\" (value) VALUES ('keyless')")
    with open_connection(shop.dsn) as conn, pytest.raises(psycopg.errors.NotNullViolation):
        index_early(conn, name, shop.pipeline.table("items"), statement_timeout_s=60)
    assert (
        shop.query("SELECT 1 FROM pg_index WHERE indrelid = to_regclass(%s)", f'assay_staging."{name}"') == []
    )


def test_a_key_whose_name_is_taken_gets_another_one(shop: Shop) -> None:
    shop.execute("CREATE TABLE items_pkey ()")
    staged = shop.stage(ROWS)
    name = staging_name(staged.load.load_id, "items")
    with open_connection(shop.dsn) as conn:
        index_early(conn, name, shop.pipeline.table("items"), statement_timeout_s=60)
    assert shop.publish(staged) == "published"
    assert shop.query(KEYS) == [("items_pkey1", True)]


def test_a_later_load_is_staged_without_wal(shop: Shop) -> None:
    shop.load(ROWS)
    staged = shop.stage(ROWS)
    name = staging_name(staged.load.load_id, "items")
    assert shop.query("SELECT relpersistence FROM pg_class WHERE relname = %s", name) == [("u",)]


def test_a_first_load_that_is_not_published_leaves_no_table(shop: Shop) -> None:
    staged = shop.stage(ROWS.vstack(ROWS))
    with pytest.raises(Exception, match="items"):
        shop.publish(staged)
    assert shop.query("SELECT to_regclass('items')") == [(None,)]
    name = staging_name(staged.load.load_id, "items")
    assert shop.query("SELECT count(*) FROM pg_tables WHERE tablename = %s", name) == [(1,)]


def test_the_table_has_the_privileges_of_its_schema_and_not_those_of_staging(shop: Shop) -> None:
    shop.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, REFERENCES ON TABLES TO PUBLIC")
    shop.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA assay_staging GRANT DELETE ON TABLES TO PUBLIC")
    try:
        shop.load(ROWS)
    finally:
        shop.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA assay_staging REVOKE DELETE ON TABLES FROM PUBLIC")
    granted = (
        "SELECT privilege_type FROM pg_class, aclexplode(relacl) "
        "WHERE oid = 'items'::regclass AND grantee = 0 ORDER BY 1"
    )
    assert shop.query(granted) == [("REFERENCES",), ("SELECT",)]


def test_what_has_other_columns_than_the_table_is_not_adopted(shop: Shop) -> None:
    shop.pipeline = make_pipeline(make_table(tombstone="gone"))
    staged = shop.stage(ROWS.with_columns(gone=pl.Series([False, True])))
    name = staging_name(staged.load.load_id, "items")
    assert shop.query("SELECT relpersistence FROM pg_class WHERE relname = %s", name) == [("u",)]
    shop.publish(staged)
    assert shop.rows() == [(1, "a")]
