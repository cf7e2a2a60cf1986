"""Raw responses go when their time is over, and never those that may still be needed."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest

from flows.pruning import prune_all
from flows.tidying import Pruned, tidy_landing
from tasks.errors import ConfigurationError
from tasks.load.connection import hold_pipeline, open_connection
from tasks.load.load import Target
from tasks.settings import Settings

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def settings(dsn: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ASSAY_HOME", str(home))
    monkeypatch.setenv("ASSAY_DATABASE_URL", dsn)
    for name in ("ASSAY_LANDING_URL", "ASSAY_LANDING_KEEP_DAYS", "ASSAY_LANDING_KEEP_LOADS"):
        monkeypatch.delenv(name, raising=False)
    return Settings()


@pytest.fixture
def landed(settings: Settings, dsn: str) -> Path:
    """Loads that began so many days ago, each with one raw response, and a folder nobody knows."""
    loads = {
        "a-published-9": 9,
        "a-abandoned-8": 8,
        "a-blocked-7": 7,
        "a-published-6": 6,
        "a-open-5": 5,
        "a-published-1": 1,
        "b-published-9": 9,
    }
    root = Path(settings.landing)
    for name in (*loads, "c-published-9"):
        (root / name / "raw-1" / "items").mkdir(parents=True)
        (root / name / "raw-1" / "items" / "00000001-00000001.parquet").write_bytes(b"1234")
    with open_connection(dsn) as conn:
        for name, age in loads.items():
            conn.execute(
                "INSERT INTO assay.loads "
                "(load_id, pipeline, fingerprint, cursors_before, full_refresh, status, started_at) "
                "VALUES (%s, %s, 'f', '{}', false, %s, %s)",
                (name, name[0], name.split("-")[1], NOW - dt.timedelta(days=age)),
            )
    return root


def names_of(pruned: Sequence[Pruned | str]) -> list[str]:
    return [each.load_id if isinstance(each, Pruned) else f"busy {each}" for each in pruned]


@pytest.mark.parametrize(
    ("days", "loads", "gone"),
    [
        (5.5, None, ["a-published-9", "a-abandoned-8", "a-published-6", "b-published-9"]),
        (8.5, None, ["a-published-9", "b-published-9"]),
        (100, None, []),
        (None, 2, ["a-published-9", "a-abandoned-8"]),
        (None, 1, ["a-published-9", "a-abandoned-8", "a-published-6"]),
        (8.5, 1, ["a-published-9"]),
    ],
)
def test_only_loads_that_are_over_go(
    landed: Path, days: float | None, loads: int | None, gone: list[str]
) -> None:
    before = {folder.name for folder in landed.iterdir()}

    would_go = list(prune_all(None, keep_days=days, keep_loads=loads, dry_run=True))
    untouched = {folder.name for folder in landed.iterdir()}
    went = list(prune_all(None, keep_days=days, keep_loads=loads, dry_run=False))

    assert names_of(would_go) == names_of(went) == gone
    assert all(isinstance(each, Pruned) and each.size == 4 for each in went)
    assert untouched == before
    assert {folder.name for folder in landed.iterdir()} == before - set(gone)


def test_pipeline_that_is_being_run_is_left_alone(landed: Path, dsn: str) -> None:
    with hold_pipeline(dsn, "a"):
        went = list(prune_all(None, keep_days=0, keep_loads=None, dry_run=False))

    assert names_of(went) == ["busy a", "b-published-9"]
    assert (landed / "a-published-9").exists()


def test_run_tidies_up_after_itself_when_the_settings_say_so(
    landed: Path, settings: Settings, dsn: str
) -> None:
    tidy_landing(settings, Target(dsn), "a")
    assert (landed / "a-published-9").exists()

    tidy_landing(settings.model_copy(update={"landing_keep_loads": 2}), Target(dsn), "a")
    assert not (landed / "a-published-9").exists()
    assert (landed / "b-published-9").exists()


def test_landing_zone_that_cannot_be_tidied_fails_no_run(
    settings: Settings, dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = settings.model_copy(update={"landing_url": "nowhere://x", "landing_keep_days": 1.0})
    tidy_landing(unknown, Target(dsn), "a")
    assert "stays for now" in caplog.text


@pytest.mark.usefixtures("landed")
def test_prune_says_what_it_needs_to_know() -> None:
    with pytest.raises(ConfigurationError, match="give --keep-days or --keep-loads"):
        list(prune_all(None, keep_days=None, keep_loads=None, dry_run=False))
    with pytest.raises(ConfigurationError, match=r"'x' was never run\. There are: a, b"):
        list(prune_all("x", keep_days=1, keep_loads=None, dry_run=False))
