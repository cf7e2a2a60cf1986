"""Nothing is left on a session: a transaction pooler may stand between assay and the server."""

import inspect
import re
from pathlib import Path

import psycopg
import pytest

import tasks.load
from tasks.load import connection

ROOM = Path(tasks.load.__file__).parent
SOURCES = [*ROOM.rglob("*.py"), *ROOM.glob("*/*.sql")]
OF_A_SESSION = {
    "a setting": r'"SET (?!LOCAL|CONSTRAINTS|NULL|DEFAULT)|set_config\([^)]*false\)',
    "a lock": r"pg_(try_)?advisory_lock|pg_advisory_unlock",
    "a prepared statement": r"\bPREPARE \w|prepare=True",
    "a listener": r"\bLISTEN \w",
    "a cursor": r"WITH HOLD",
    "a temporary table": r"CREATE TEMP TABLE (?!.*ON COMMIT DROP)",
}


@pytest.mark.parametrize("kind", OF_A_SESSION)
def test_nothing_outlives_its_transaction(kind: str) -> None:
    found = [
        f"{source.name}: {line.strip()}"
        for source in SOURCES
        for line in source.read_text("utf-8").splitlines()
        if re.search(OF_A_SESSION[kind], line)
    ]
    assert found == []


def test_statements_are_never_prepared_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}
    monkeypatch.setattr(psycopg.Connection, "connect", lambda _dsn, **options: asked.update(options))
    connection.connect("host=127.0.0.1")
    assert asked["prepare_threshold"] is None
    assert asked["autocommit"] is True
    assert "options" not in asked


def test_the_sources_are_looked_at() -> None:
    assert len(SOURCES) > 15
    assert "BEGIN" in inspect.getsource(connection.hold_pipeline)
