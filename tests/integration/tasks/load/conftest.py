"""A shop for each test, in a database of its own."""

from pathlib import Path

import psycopg
import pytest

from tests.integration.tasks.load.builders import Shop


@pytest.fixture(scope="session", autouse=True)
def _hasty_postgres(postgres: str) -> None:
    """Do not wait for the disk: here, databases come and go by hundreds."""
    with psycopg.connect(postgres, autocommit=True) as conn:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            conn.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        conn.execute("SELECT pg_reload_conf()")


@pytest.fixture
def shop(dsn: str, tmp_path: Path) -> Shop:
    return Shop(dsn, tmp_path)
