"""Least privilege: the documented roles do what they are for, and nothing else."""

import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tasks.errors import ConfigurationError
from tasks.load import ledger
from tasks.load.connection import open_connection
from tasks.load.roles import ROLES, write_roles
from tasks.load.staging import prepare_staging
from tests.integration.tasks.load.builders import (
    Shop,
    make_pipeline,
    make_report,
    make_table,
    with_reason,
    written,
)

PREFIX = f"roles{os.getpid()}"
TOTALS = "SELECT kind, count(*) FROM affected JOIN items USING (kind) GROUP BY kind"


@pytest.fixture
def dsns(dsn: str) -> Iterator[dict[str, str]]:
    """The database of an administrator who ran the SQL twice; a DSN for each role."""
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("DROP SCHEMA assay CASCADE")
        admin.execute("DROP SCHEMA assay_staging CASCADE")
        # As it is from version 15 on; docs/operations.md tells the others.
        admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        for _ in range(2):
            admin.execute(write_roles(["public", "Sales"], prefix=PREFIX).encode())
        for role in ROLES:
            name = sql.Identifier(f"{PREFIX}_{role}")
            admin.execute(sql.SQL("ALTER ROLE {} PASSWORD 'secret'").format(name))
        yield {role: make_conninfo(dsn, user=f"{PREFIX}_{role}", password="secret") for role in ROLES}
        for role in ROLES:
            name = sql.Identifier(f"{PREFIX}_{role}")
            admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(name))
            admin.execute(sql.SQL("DROP ROLE {}").format(name))


def make_shop(dsn: str, folder: Path, schema: str) -> Shop:
    report = make_report(folder, TOTALS, "kind")
    return Shop(dsn, folder, make_pipeline(make_table(), reports=[report], target_schema=schema))


def migrate(dsn: str) -> None:
    with open_connection(dsn) as conn:
        ledger.migrate(conn)
        prepare_staging(conn)


def test_a_loader_cannot_make_the_ledger_and_is_told_who_can(dsns: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=rf"role '{PREFIX}_loader' may not.*assay migrate.*owner"):
        migrate(dsns["loader"])
    migrate(dsns["owner"])
    migrate(dsns["loader"])


def test_a_loader_loads_and_a_reader_reads_tables_alone(dsns: dict[str, str], tmp_path: Path) -> None:
    migrate(dsns["owner"])
    shop = make_shop(dsns["loader"], tmp_path, "public")
    row = pl.DataFrame({"id": [1, 2], "kind": ["a", "b"]})
    shop.load(row, quarantine=with_reason(row.tail(1).with_columns(id=pl.lit(3))))
    wider = row.with_columns(kind=pl.lit("c"), new=pl.lit(1.5))
    assert written(shop.load(wider)) == (0, 2, 0)
    assert shop.query("SELECT usesuper, usecreatedb FROM pg_user WHERE usename = current_user") == [
        (False,) * 2
    ]

    with psycopg.connect(dsns["reader"], autocommit=True) as reader:
        assert reader.execute("SELECT id, kind, new FROM items ORDER BY id").fetchall() == wider.rows()
        assert reader.execute("SELECT * FROM totals").fetchall() == [("c", 2)]
        for statement in (
            "SELECT * FROM assay.quarantine",
            "SELECT * FROM assay.table_freshness",
            "CREATE TABLE assay_staging.mine (id int)",
            "CREATE TABLE mine (id int)",
            "DELETE FROM items",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement)
    with psycopg.connect(dsns["owner"], autocommit=True) as owner:
        owner.execute(f"GRANT USAGE ON SCHEMA assay TO {PREFIX}_reader".encode())
        owner.execute(f"GRANT SELECT ON assay.table_freshness TO {PREFIX}_reader".encode())
    with psycopg.connect(dsns["reader"], autocommit=True) as reader:
        assert reader.execute("SELECT table_name FROM assay.table_freshness").fetchall() == [("items",)]
    with psycopg.connect(dsns["loader"], autocommit=True) as loader:
        for statement in ("DROP TABLE assay.loads", "ALTER TABLE assay.loads ADD x int", "CREATE SCHEMA x"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                loader.execute(statement.encode())


def test_what_a_loader_lacks_is_said(dsns: dict[str, str], dsn: str, tmp_path: Path) -> None:
    migrate(dsns["owner"])
    shop = make_shop(dsns["loader"], tmp_path, "public")
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("CREATE TABLE items (id bigint PRIMARY KEY, kind text)")
    with pytest.raises(ConfigurationError, match=r"permission denied for table items.*assay roles"):
        shop.load(pl.DataFrame({"id": [1], "kind": ["a"]}))
    other = make_shop(dsns["loader"], tmp_path, "elsewhere")
    with pytest.raises(ConfigurationError, match=r"permission denied for database.*assay roles"):
        other.load(pl.DataFrame({"id": [1], "kind": ["a"]}))
