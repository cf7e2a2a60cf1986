"""A disk of the database that is full: while rows are staged, and while they are published."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tasks.errors import RetriableError
from tests.integration.tasks.load.builders import Shop, make_pipeline, make_table

FEW = pl.DataFrame({"id": [1, 2, 3], "value": ["a", "b", "c"]})
MANY = pl.DataFrame({"id": range(20_000)}).with_columns(value=pl.format("{}" + "x" * 100, "id"))
NAME = f"tiny_{os.getpid()}"
TIDY = f"""
ALTER TABLE ALL IN TABLESPACE {NAME} SET TABLESPACE pg_default;
ALTER INDEX ALL IN TABLESPACE {NAME} SET TABLESPACE pg_default;
DROP TABLESPACE {NAME}
"""


@pytest.fixture
def tiny_disk(dsn: str) -> Iterator[Path]:
    """A tablespace on a disk of 1 MB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    # Not in pytest's own folder, into which the server's user cannot look.
    disk = Path(tempfile.mkdtemp(prefix="assay-tests-"))
    with psycopg.connect(dsn, autocommit=True) as conn:
        [data] = conn.execute("SHOW data_directory").fetchall()
        owner = Path(str(data[0])).stat().st_uid
        disk.chmod(0o755)
        mounted = ["mount", "-t", "tmpfs", "-o", f"size=1m,mode=700,uid={owner}", "tmpfs", str(disk)]
        if (done := subprocess.run(mounted, capture_output=True, text=True, check=False)).returncode:
            pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        conn.execute(
            sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(sql.Identifier(NAME), sql.Literal(str(disk)))
        )
        yield disk
        _enlarge(disk)
        for statement in TIDY.split(";"):
            conn.execute(statement.encode())
    subprocess.run(["umount", str(disk)], check=True)
    disk.rmdir()


def _enlarge(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)


def _on_disk(dsn: str) -> str:
    """A DSN whose new tables go to the tiny disk."""
    return make_conninfo(dsn, options=f"-c default_tablespace={NAME}")


def test_a_disk_that_is_full_while_rows_are_staged_costs_a_retry(
    dsn: str, tmp_path: Path, tiny_disk: Path
) -> None:
    shop = Shop(dsn, tmp_path)
    shop.load(FEW)
    before, load = shop.snapshot(), shop.begin()
    cramped = Shop(_on_disk(dsn), tmp_path)
    with pytest.raises(RetriableError, match=r"No space left on device.*Nothing is published by half"):
        cramped.stage(MANY, load=load)
    assert shop.snapshot() == before
    assert shop.query("SELECT FROM pg_tables WHERE schemaname = 'assay_staging'") == []
    _enlarge(tiny_disk)
    assert cramped.publish(cramped.stage(MANY, load=load)) == "published"


@pytest.mark.parametrize("disposition", ["append", "merge", "replace", "scd2"])
def test_a_disk_that_is_full_while_rows_are_published_costs_a_retry(
    dsn: str, tmp_path: Path, tiny_disk: Path, disposition: str
) -> None:
    pipeline = make_pipeline(make_table(disposition=disposition), incremental=False)
    Shop(_on_disk(dsn), tmp_path, pipeline).load(FEW)
    shop = Shop(dsn, tmp_path, pipeline)
    before, staged = shop.snapshot(), shop.stage(MANY)
    with pytest.raises(RetriableError, match=r"No space left on device.*Nothing is published by half"):
        shop.publish(staged)
    assert shop.snapshot() == before
    _enlarge(tiny_disk)
    assert shop.publish(staged) == "published"
    assert shop.query("SELECT count(DISTINCT id) FROM items") == [(20_000,)]
