"""Suites as the gate reads them: which expectations divert rows, which judge the batch, which the table.

A suite stays a plain GX suite. Three words in an expectation's `meta` are assay's:
`{"quarantine": true}` or `{"quarantine": {"max_rows": 100}}` and `{"scope": "table"}`.
"""

import difflib
import hashlib
import json
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


@dataclass(frozen=True)
class Diverting:
    """An expectation whose unexpected rows go to quarantine, and how many may."""

    expectation: Expectation
    max_rows: int


@dataclass(frozen=True)
class GatedSuite:
    """A table's suite, split by what its expectations do at the gate."""

    table: str
    name: str
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
    split = GatedSuite(table, suite.name)
    for expectation in suite.expectations:
        meta = expectation.meta or {}
        if "quarantine" in meta:
            split.diverting.append(Diverting(expectation, _read_budget(suite, expectation, meta)))
        elif meta.get("scope") == "table":
            split.checks.append(_read_check(suite, expectation, table))
        elif "scope" in meta:
            raise _wrong(
                suite, expectation, f"meta.scope is {meta['scope']!r}; 'table' is the only scope there is"
            )
        else:
            split.judging.append(expectation)
    return split


def identify(config: dict[str, Any]) -> str:
    """What is the same for the same expectation with the same arguments in every load (12 hex digits)."""
    text = json.dumps([config["type"], config["kwargs"]], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read_budget(suite: ExpectationSuite, expectation: Expectation, meta: dict[str, Any]) -> int:
    if not is_row_level(expectation):
        raise _wrong(suite, expectation, "meta.quarantine needs an expectation about single rows; remove it")
    match meta["quarantine"]:
        case True:
            return DEFAULT_MAX_ROWS
        case {"max_rows": int(rows), **rest} if rows >= 0 and not rest:
            return rows
    raise _wrong(
        suite, expectation, f'meta.quarantine is {meta["quarantine"]!r}; write true or {{"max_rows": 100}}'
    )


def _read_check(suite: ExpectationSuite, expectation: Expectation, table: str) -> TableCheck:
    config: Any = expectation.configuration.to_json_dict()
    query = config["kwargs"].get("unexpected_rows_query")
    if not isinstance(query, str):
        raise _wrong(
            suite, expectation, "meta.scope 'table' needs an unexpected_rows_expectation with a query in SQL"
        )
    return TableCheck(
        table=table,
        suite=suite.name,
        expectation=str(config["type"]),
        identity=identify(config),
        severity=expectation.severity.value,
        query=query,
        config=config,
    )


def _wrong(suite: ExpectationSuite, expectation: Expectation, problem: str) -> ConfigurationError:
    position = suite.expectations.index(expectation) + 1
    return ConfigurationError(
        f"Suite {suite.name!r}, expectation {position} ({expectation.expectation_type}): {problem}."
    )
