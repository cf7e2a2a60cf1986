"""A shop for each test, in a database of its own."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.conftest import TEMPLATE
from tests.integration.tasks.load.builders import Shop

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def hasty_postgres(postgres: str) -> str:
    """The server, not waiting for the disk: here, databases come and go by hundreds."""
    with psycopg.connect(postgres, autocommit=True) as conn:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            conn.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        conn.execute("SELECT pg_reload_conf()")
    return postgres


@pytest.fixture
def dsn(hasty_postgres: str) -> Iterator[str]:
    """DSN of a database of the test's own, copied as files: that takes a fifth of the time."""
    name = sql.Identifier(f"load_{os.getpid()}_{next(_numbers)}")
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    with psycopg.connect(hasty_postgres, autocommit=True) as conn:
        conn.execute(create.format(name, sql.Identifier(TEMPLATE)))
        yield make_conninfo(hasty_postgres, dbname=name.as_string().strip('"'))
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def shop(dsn: str, tmp_path: Path) -> Shop:
    return Shop(dsn, tmp_path)
