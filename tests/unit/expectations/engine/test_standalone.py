"""The engine could be published by itself: it imports Great Expectations, Polars and what GX requires."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import expectations.engine

FOLDER = Path(expectations.engine.__file__).parent
ALLOWED = {"great-expectations", "polars"}


def imported_packages() -> set[str]:
    """Top-level packages of every import in the engine, those of functions included."""
    found = set()
    for file in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}: relative import"
                found.add(str(node.module))
    outside = {name for name in found if not name.startswith("expectations.engine")}
    return {name.partition(".")[0] for name in outside} - sys.stdlib_module_names


def plain(name: str) -> str:
    return name.lower().replace("_", "-")


def brought_along(names: set[str]) -> set[str]:
    """These distributions and the plain requirements of theirs, without extras."""
    required = {
        plain(re.split(r"[^\w.-]", requirement)[0])
        for name in names
        for requirement in distribution(name).requires or ()
        if "extra ==" not in requirement
    }
    return names | required


def test_it_imports_nothing_beyond_gx_polars_and_what_gx_requires() -> None:
    owners = packages_distributions()
    strangers = {
        package
        for package in imported_packages()
        if not set(map(plain, owners[package])) & brought_along(ALLOWED)
    }
    assert strangers == set()


def test_it_says_that_it_is_typed() -> None:
    assert (FOLDER / "py.typed").is_file()
