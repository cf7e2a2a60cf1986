"""`assay roles` and `assay migrate`."""

import psycopg
import pytest

from flows.cli import app, exit_code


def assay(*words: str) -> int:
    return exit_code(lambda: app([*words], result_action="return_value"))


def test_roles_are_printed_for_the_schemas_of_all_pipelines(capsys: pytest.CaptureFixture[str]) -> None:
    assert assay("roles", "--prefix", 'x"y') == 0
    printed = capsys.readouterr().out
    assert 'GRANT USAGE, CREATE ON SCHEMA "public" TO "x""y_loader";' in printed
    assert all(line.endswith(";") for line in printed.splitlines() if line.startswith("GRANT USAGE"))


def test_a_ledger_is_made_and_is_up_to_date(
    dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("DROP SCHEMA assay CASCADE")
    monkeypatch.setenv("ASSAY_DATABASE_URL", dsn)
    for _ in range(2):
        assert assay("migrate") == 0
    assert "The ledger is up to date." in capsys.readouterr().out
    with psycopg.connect(dsn, autocommit=True) as conn:
        assert conn.execute("SELECT count(*) FROM assay.loads").fetchone() == (0,)
