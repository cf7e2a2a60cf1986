"""`assay quarantine`: what people see of the rows that are kept out."""

import json
from pathlib import Path

import polars as pl
import pytest

from flows.cli import app, exit_code
from tests.integration.tasks.load.builders import Shop, with_reason

pytestmark = pytest.mark.usefixtures("shop")
BAD = pl.DataFrame({"id": [2], "value": ["[bold]b[/]"]})


@pytest.fixture
def shop(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("ASSAY_DATABASE_URL", dsn)
    shop = Shop(dsn, tmp_path)
    shop.load(BAD.clear(), quarantine=with_reason(BAD, "value: expected better"))
    return shop


def quarantine(*words: str) -> int:
    return exit_code(lambda: app(["quarantine", *words], result_action="return_value"))


def test_entries_are_listed_with_reason_and_age(capsys: pytest.CaptureFixture[str]) -> None:
    assert quarantine("list", "shop", "--table", "items") == 0
    [_, line] = capsys.readouterr().out.splitlines()
    assert line.split(maxsplit=4) == ["1", "shop.items", "id=2", "now", "value: expected better"]
    assert quarantine("list", "other") == 0
    assert "No row is in quarantine." in capsys.readouterr().out


def test_entries_are_objects_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    quarantine("list", "--json")
    [entry] = map(json.loads, capsys.readouterr().out.splitlines())
    assert (entry["quarantine_id"], entry["row"]) == (1, {"id": 2, "value": "[bold]b[/]"})


def test_an_entry_is_shown_whole_and_what_became_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert quarantine("drop", "1", "--reason", "not ours") == 0
    assert "dropped 1: id=2 of items" in capsys.readouterr().out
    assert quarantine("show", "1") == 0
    shown = capsys.readouterr().out
    assert "because     not ours" in shown
    assert '"value": "[bold]b[/]"' in shown


def test_a_decision_about_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert (quarantine("release"), quarantine("show", "9")) == (2, 2)
    told = capsys.readouterr().err
    assert "Which entries?" in told
    assert "There is no entry 9" in told
