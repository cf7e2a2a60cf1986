"""Suites as the gate reads them: which expectations divert rows, which judge the batch, which the table.

A suite stays a plain GX suite. Three words in an expectation's `meta` are assay's:
`{"quarantine": true}` or `{"quarantine": {"max_rows": 100}}` and `{"scope": "table"}`.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from great_expectations import ExpectationSuite
from great_expectations.expectations.expectation import Expectation

from expectations.engine import SuiteFileError, is_row_level, load_suite
from tasks.errors import ConfigurationError
from tasks.handover import TableCheck
from tasks.settings import SUITES

DEFAULT_MAX_ROWS = 10
WORDS = ("quarantine", "scope")


@dataclass(frozen=True)
class Diverting:
    """An expectation whose unexpected rows go to quarantine, and how many may."""

    expectation: Expectation
    max_rows: int


@dataclass(frozen=True)
class GatedSuite:
    """A table's suite, split by what its expectations do at the gate; `parameters` are GX's of the suite."""

    table: str
    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    diverting: list[Diverting] = field(default_factory=list)
    judging: list[Expectation] = field(default_factory=list)
    checks: list[TableCheck] = field(default_factory=list)


def find_suite(name: str, folder: Path = SUITES) -> Path:
    """File of the suite of this name.

    Raises:
        ConfigurationError: There is none; the nearest name is given.
    """
    path = folder / f"{name}.json"
    if path.is_file():
        return path
    names = sorted(file.stem for file in folder.glob("*.json"))
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names) or 'none'}."
    raise ConfigurationError(f"There is no suite {name!r} in {folder}. {hint}")


def read_suite(path: Path) -> ExpectationSuite:
    """The suite of a file.

    Raises:
        ConfigurationError: It is not a suite that GX can build.
    """
    try:
        return load_suite(path)
    except (SuiteFileError, OSError) as exc:
        raise ConfigurationError(str(exc)) from exc


def split_suite(suite: ExpectationSuite, table: str) -> GatedSuite:
    """Sort a suite's expectations by what they do at the gate.

    Raises:
        ConfigurationError: An expectation's `meta` asks for what the expectation cannot do.
    """
    split = GatedSuite(table, suite.name, dict(suite.suite_parameters or {}))
    for position, expectation in enumerate(suite.expectations, start=1):
        try:
            _sort_expectation(split, expectation)
        except ValueError as exc:
            where = f"Suite {suite.name!r}, expectation {position} ({expectation.expectation_type})"
            raise ConfigurationError(f"{where}: {exc}.") from exc
    return split


def identify(config: dict[str, Any]) -> str:
    """What is the same for the same expectation with the same arguments in every load (12 hex digits)."""
    text = json.dumps([config["type"], config["kwargs"]], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _sort_expectation(split: GatedSuite, expectation: Expectation) -> None:
    meta = expectation.meta or {}
    _refuse_misspelt(meta)
    if "quarantine" in meta and "scope" in meta:
        raise ValueError("meta has quarantine and scope; rows of merged tables are not diverted, keep one")
    if "quarantine" in meta:
        split.diverting.append(Diverting(expectation, _read_budget(expectation, meta["quarantine"])))
    elif "scope" in meta:
        split.checks.append(_read_check(split, expectation, meta["scope"]))
    else:
        split.judging.append(expectation)


def _refuse_misspelt(meta: Mapping[str, Any]) -> None:
    """`meta` is free for anybody's words, but one that is nearly ours would be obeyed by nobody."""
    for word in meta:
        near = difflib.get_close_matches(word, WORDS, n=1, cutoff=0.8)
        if near and word not in WORDS:
            raise ValueError(f"meta has {word!r}. Did you mean {near[0]!r}?")


def _read_budget(expectation: Expectation, quarantine: object) -> int:
    if not is_row_level(expectation):
        raise ValueError("meta.quarantine needs an expectation about single rows; remove it")
    match quarantine:
        case True:
            return DEFAULT_MAX_ROWS
        case {"max_rows": int(rows), **rest} if rows >= 0 and not isinstance(rows, bool) and not rest:
            return rows
    raise ValueError(f'meta.quarantine is {quarantine!r}; write true or {{"max_rows": 100}}')


def _read_check(split: GatedSuite, expectation: Expectation, scope: object) -> TableCheck:
    if scope != "table":
        raise ValueError(f"meta.scope is {scope!r}; write 'table', the only scope there is, or remove it")
    config: Any = expectation.configuration.to_json_dict()
    query = config["kwargs"].get("unexpected_rows_query")
    if not isinstance(query, str):
        raise ValueError(  # noqa: TRY004  the declaration is wrong, not a type in the code
            "meta.scope 'table' needs an unexpected_rows_expectation with a query in SQL; remove it"
        )
    return TableCheck(
        table=split.table,
        suite=split.name,
        expectation=str(config["type"]),
        identity=identify(config),
        severity=expectation.severity.value,
        query=query,
        config=config,
    )
