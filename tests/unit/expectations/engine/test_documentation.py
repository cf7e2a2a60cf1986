"""docs/engine.md is run: its examples in order, each against the output that stands below it."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

DOCUMENT = Path(__file__).parents[4] / "docs/engine.md"
ENGINE = Path(__file__).parents[4] / "expectations/engine"
_EXAMPLE = re.compile(r"```python\n(.*?)```\n(?:```text\n(.*?)```\n)?", re.DOTALL)


def test_every_example_prints_what_the_document_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "example"}
    examples = _EXAMPLE.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert len(examples) == 5
    for code, output in examples:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(DOCUMENT), "exec"), names)
        assert printed.getvalue() == output


def test_every_file_has_its_place_in_the_document() -> None:
    named = set(re.findall(r"`(\w+\.py)`", DOCUMENT.read_text(encoding="utf-8")))
    folder = {file.name for file in ENGINE.glob("*.py")}
    unnamed = folder - named - {"__init__.py", "errors.py", "to_pandas.py", "preparing.py"}
    assert unnamed == set()
