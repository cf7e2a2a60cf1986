"""Helpers that start at once, and functions for them to call."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.helper import HelperProcess
from tests.unit.tasks.helper.watching import CHORES, COLD, Start


@pytest.fixture
def chores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with functions to call, which helpers find too."""
    folder = tmp_path / "chores"
    folder.mkdir()
    (folder / "chores.py").write_text(CHORES, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.delitem(sys.modules, "chores", raising=False)
    return folder


@pytest.fixture
def start(chores: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts helpers that import no Great Expectations, and ends them."""
    (chores / "sitecustomize.py").write_text(COLD, encoding="utf-8")
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(
            HelperProcess(tmp_path / "logs" / "helper.log", **options)
        )


@pytest.fixture
def helper(start: Start) -> HelperProcess:
    return start()
