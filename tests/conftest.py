"""What tests share: one embedded Postgres with a database for each test, one demo API, one Prefect server."""

import atexit
import itertools
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql
from psycopg.conninfo import make_conninfo

# The engine first: it knows how to import Great Expectations where warnings are errors.
import expectations.engine  # noqa: F401
from deployments.local.api.server import DemoApi
from deployments.local.prefect_server import PrefectServer, prefect_server
from tasks.load import ledger
from tasks.load.connection import open_connection
from tasks.load.embedded import start_postgres
from tasks.load.staging import prepare_staging

# How long an example takes is the machine's affair; speed belongs to the benchmarks.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

TEMPLATE = f"assay_template_{os.getpid()}"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """DSN of a server with a template database that holds a migrated ledger.

    The server is that of `ASSAY_TEST_DSN`, whose role may create databases, or else an embedded one.
    Not in pytest's own folder: another session closes that to other users, of whom the server, started as
    root, is one. The folder is removed after the server has stopped, which it does at this process's end.
    """
    dsn = os.environ.get("ASSAY_TEST_DSN") or _start_embedded()
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    with open_connection(_database(dsn, TEMPLATE)) as conn:
        ledger.migrate(conn)
        prepare_staging(conn)
    yield dsn
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(TEMPLATE)))


def _start_embedded() -> str:
    folder = Path(tempfile.mkdtemp(prefix="assay-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    dsn = start_postgres(folder)
    with psycopg.connect(dsn, autocommit=True) as conn:
        # Databases come and go by hundreds, and none outlives the machine: no waiting for the disk.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            conn.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        conn.execute("SELECT pg_reload_conf()")
    return dsn


@pytest.fixture
def dsn(postgres: str) -> Iterator[str]:
    """DSN of a database of the test's own."""
    with new_database(postgres) as own:
        yield own


@pytest.fixture(scope="module")
def module_dsn(postgres: str) -> Iterator[str]:
    """DSN of a database that a module's tests share."""
    with new_database(postgres) as own:
        yield own


@contextmanager
def new_database(postgres: str) -> Iterator[str]:
    """A database cloned from the template, dropped at the end."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE))
        )
    yield _database(postgres, name)
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def shared_api() -> Iterator[DemoApi]:
    """The demo API, started once; tests take `api`, which is as new for each."""
    with DemoApi(f"token-{uuid.uuid4().hex}") as api:
        yield api


@pytest.fixture
def api(shared_api: DemoApi) -> Iterator[DemoApi]:
    """The demo API in its original state."""
    shared_api.state.reset()
    yield shared_api
    shared_api.state.reset()


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """A real Prefect server."""
    with prefect_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for what assay keeps on a machine."""
    return tmp_path / "assay"


def _database(dsn: str, name: str) -> str:
    return dsn.replace("/postgres?", f"/{name}?") if "/postgres?" in dsn else make_conninfo(dsn, dbname=name)
