"""Every declaration and example of docs/paging.md is one."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

import tasks.pipeline
from tasks.extract.pages import PageRequest
from tasks.extract.pagination.custom import Pages
from tasks.pipeline import Resource

TEXT = (Path(__file__).parents[3] / "docs" / "paging.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
DECLARED = [
    span
    for line in TEXT.splitlines()
    if line.startswith("| ") and line.count("|") == 4
    for span in re.findall(r"`([A-Z]\w+\(.*?\))`", line)
]


class Comment(msgspec.Struct):
    id: int
    issue_number: int


NAMES: dict[str, Any] = {
    **{name: getattr(tasks.pipeline, name) for name in tasks.pipeline.__all__},
    "PageRequest": PageRequest,
    "Pages": Pages,
    "Comment": Comment,
}


def test_all_dialects_of_the_table_are_found() -> None:
    assert len(DECLARED) == 23


@pytest.mark.parametrize("words", DECLARED)
def test_a_paginator_of_the_table_is_one(words: str) -> None:
    Resource(name="items", path="/", paginator=eval(words, NAMES))


@pytest.mark.parametrize("code", EXAMPLES, ids=lambda code: code.strip().splitlines()[0][:40])
def test_an_example_runs(code: str) -> None:
    exec(compile(code, "docs/paging.md", "exec"), dict(NAMES))
