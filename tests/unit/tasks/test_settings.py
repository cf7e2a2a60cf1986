"""Settings: what the environment says, and what is said of a wrong word in it."""

from pathlib import Path

import pytest

from tasks.errors import ConfigurationError
from tasks.settings import PROJECT, base_url_override, read_settings, secret_from_environment, secret_variable

DSN = "postgresql://assay:hunter2@db.example/target"


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "DATABASE_URL", "REPORTS_URL", "RESUME_WITHIN_S", "STATEMENT_TIMEOUT_S"):
        monkeypatch.delenv(f"ASSAY_{name}", raising=False)


def test_without_an_environment_all_is_kept_in_the_project() -> None:
    settings = read_settings()
    assert settings.home == PROJECT / ".assay"
    assert (settings.landing, settings.reports) == (f"{settings.home}/landing", settings.home / "reports")
    assert settings.database_url is None
    assert (settings.resume_within_s, settings.statement_timeout_s) == (3600, 600)


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    monkeypatch.setenv("ASSAY_DATABASE_URL", DSN)
    monkeypatch.setenv("ASSAY_REPORTS_URL", str(tmp_path / "r"))
    monkeypatch.setenv("ASSAY_RESUME_WITHIN_S", "60")
    monkeypatch.setenv("assay_statement_timeout_s", "5.5")
    settings = read_settings()
    assert (settings.home, settings.reports) == (tmp_path, tmp_path / "r")
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == DSN
    assert (settings.resume_within_s, settings.statement_timeout_s) == (60, 5.5)


def test_relative_folders_are_below_the_project_wherever_the_run_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_HOME", "here")
    monkeypatch.setenv("ASSAY_REPORTS_URL", "pages")
    settings = read_settings()
    assert (settings.home, settings.reports) == (PROJECT / "here", PROJECT / "pages")


def test_wrong_values_are_configuration_errors_that_name_each_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASSAY_DATABASE_URL", DSN)
    monkeypatch.setenv("ASSAY_RESUME_WITHIN_S", "soon")
    monkeypatch.setenv("ASSAY_STATEMENT_TIMEOUT_S", "")
    with pytest.raises(ConfigurationError) as caught:
        read_settings()
    message = str(caught.value)
    assert message.startswith("Settings: ASSAY_RESUME_WITHIN_S: Input should be a valid number")
    assert "; ASSAY_STATEMENT_TIMEOUT_S: " in message
    assert "hunter2" not in message
    assert "hunter2" not in str(caught.value.__cause__)


def test_dsn_is_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_DATABASE_URL", DSN)
    settings = read_settings()
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "hunter2" not in shown


def test_secret_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert secret_variable("flights-token") == "ASSAY_SECRET_FLIGHTS_TOKEN"
    assert secret_from_environment("flights-token") is None
    monkeypatch.setenv("ASSAY_SECRET_FLIGHTS_TOKEN", "t")
    assert secret_from_environment("flights-token") == "t"


def test_base_url_is_overridden_by_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_BASE_URL_SHOP", "http://sandbox")
    assert base_url_override("shop") == "http://sandbox"
    assert base_url_override("other") is None
