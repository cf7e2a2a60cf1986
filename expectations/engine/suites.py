"""Plain GX suite files."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

from great_expectations.core import ExpectationSuite
from great_expectations.exceptions.exceptions import GreatExpectationsError
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.registry import _registered_expectations
from great_expectations.expectations.row_conditions import PassThroughCondition

from expectations.engine.errors import SuiteFileError

_CONFIGURATION_KEYS = frozenset(
    {
        "type",
        "kwargs",
        "meta",
        "notes",
        "description",
        "id",
        "severity",
        "rendered_content",
        "expectation_context",
    }
)


def load_suite(path: str | Path) -> ExpectationSuite:
    """Read a suite from JSON as GX's file store writes it; no context is needed.

    Raises:
        SuiteFileError: no such file, no JSON, or an expectation that GX does not have or does not accept. It
            names the file and the expectation, and the nearest name for a misspelt one. GX itself would leave
            out an expectation that it does not accept.
    """
    content = _read(path)
    entries = content.get("expectations", [])
    if not isinstance(entries, list):
        raise SuiteFileError(str(path), "'expectations' must be a list.")
    built = [_build(entry, index, path) for index, entry in enumerate(entries)]
    try:
        suite = ExpectationSuite(
            name=content.get("name"),
            suite_parameters=content.get("suite_parameters"),
            meta=content.get("meta"),
            notes=content.get("notes"),
            id=content.get("id"),
        )
    except (ValueError, TypeError, GreatExpectationsError) as exc:
        raise SuiteFileError(str(path), str(exc)) from exc
    for expectation in built:
        expectation.register_save_callback(save_callback=suite._save_expectation)  # noqa: SLF001  (as GX adds one)
    suite.expectations = built
    return suite


def _read(path: str | Path) -> dict[str, Any]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as exc:
        raise SuiteFileError(str(path), f"cannot be read: {exc.strerror}.") from exc
    except ValueError as exc:
        raise SuiteFileError(str(path), f"is no JSON: {exc}.") from exc
    if not isinstance(content, dict):
        raise SuiteFileError(str(path), "must be a JSON object with 'name' and 'expectations'.")
    return content


def _build(entry: Any, index: int, path: str | Path) -> Expectation:
    try:
        _check_shape(entry)
        configuration = ExpectationConfiguration(
            **{**entry, "kwargs": _with_condition(entry.get("kwargs") or {})}
        )
        return configuration.to_domain_obj()
    except (ValueError, TypeError, GreatExpectationsError) as exc:
        raise SuiteFileError(str(path), _explain(entry, exc), index) from exc


def _check_shape(entry: Any) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        raise TypeError("must be an object with a 'type'.")
    if unknown := entry.keys() - _CONFIGURATION_KEYS:
        known = sorted(_CONFIGURATION_KEYS)
        raise ValueError("; ".join(f"unknown key {key!r}{_nearest(key, known)}" for key in sorted(unknown)))
    if entry["type"] not in _registered_expectations:
        raise ValueError(
            f"no expectation {entry['type']!r}{_nearest(entry['type'], list(_registered_expectations))}"
        )


def _nearest(name: str, known: list[str]) -> str:
    matches = difflib.get_close_matches(name, known, n=1)
    return f". Did you mean {matches[0]!r}?" if matches else "."


def _with_condition(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Make a pandas-style row condition what GX would make of it, without its warning about old syntax."""
    if not isinstance(kwargs.get("row_condition"), str) or kwargs.get("condition_parser") not in {
        None,
        "pandas",
    }:
        return kwargs
    condition = PassThroughCondition(pass_through_filter=kwargs["row_condition"])
    return {key: value for key, value in kwargs.items() if key != "condition_parser"} | {
        "row_condition": condition
    }


def _explain(entry: Any, exc: Exception) -> str:
    """Pydantic spreads its message over lines; the expectation's name belongs in front of it."""
    details = " ".join(str(exc).split())
    name = entry.get("type") if isinstance(entry, dict) else None
    return details if name is None or str(name) in details else f"{name}: {details}"
