"""Every example of docs/sources.md is run, and every entry of its tables declared."""

import ast
import datetime as dt
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

import tasks.pipeline
from tasks.pipeline import Incremental, Resource, RestApi

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "sources.md").read_text(encoding="utf-8")
NAMES: dict[str, Any] = {
    **{name: getattr(tasks.pipeline, name) for name in tasks.pipeline.__all__},
    "dt": dt,
    "hmac": hmac,
    "json": json,
    "msgspec": msgspec,
    "Any": Any,
    "Iterator": Iterator,
    "Mapping": Mapping,
}
EXAMPLES = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.partition("## Some APIs")[2].splitlines()[4:]
]


def evaluate(words: str) -> dict[str, Any]:
    """The keyword arguments in the code span of a table's cell."""
    span = words.strip("` ")
    arguments: dict[str, Any] = eval(f"dict({span})", NAMES)
    return arguments


@pytest.mark.parametrize("code", EXAMPLES, ids=lambda code: code.strip().splitlines()[0][:40])
def test_an_example_runs_and_declares_what_it_shows(code: str) -> None:
    namespace: dict[str, Any] = dict(NAMES)
    exec(compile(code, "docs/sources.md", "exec"), namespace)
    for name, declared in namespace.items():
        match name:
            case "auth":
                RestApi(base_url="https://api.example.com", auth=declared)
            case "records" | "incremental":
                Resource(name="items", path="/", **{name: declared})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_an_api_of_the_table_is_declared_so(row: list[str]) -> None:
    _, source, resource = row
    RestApi(base_url="https://api.example.com", **evaluate(source))
    Resource(name="items", path="/", **evaluate(resource))


def test_the_table_holds_the_apis_and_the_page_the_words() -> None:
    assert len(ROWS) >= 16
    trees = [ast.walk(ast.parse(code)) for code in EXAMPLES]
    declared = {node.id for tree in trees for node in tree if isinstance(node, ast.Name)}
    for word in ("Bearer", "Basic", "ApiKey", "SecretHeaders", "OAuth2", "Signed", "SyncToken", "BodyError"):
        assert word in declared


@pytest.mark.parametrize("span", re.findall(r"`((?:format|bound|lag)=[^`]*)`", TEXT))
def test_a_word_of_an_increment_is_one(span: str) -> None:
    Incremental(field="at", param="since", **evaluate(span))


def test_every_link_of_the_page_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (DOCS / target).exists(), target
