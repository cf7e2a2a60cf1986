"""Row conditions on text: patterns, and what Python must parse value by value."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import polars as pl
from dateutil.parser import parse  # type: ignore[import-untyped]  # ships no types

from expectations.engine.domain import Domain
from expectations.engine.literals import as_text
from expectations.engine.metrics.row_tests import row_test

logger = logging.getLogger(__name__)


def _matches(domain: Domain, regex: str) -> pl.Expr:
    """True where Python's `re.search` finds the pattern; by Polars where it can."""
    pattern = re.compile(regex)
    translated = _to_rust(regex)
    if _is_rust_regex(translated):
        return as_text(domain.values, domain.dtype).str.contains(translated)
    logger.debug("Pattern %r needs Python: Polars' regex has no look-around or back-references.", regex)
    return _by_python(as_text(domain.masked(), domain.dtype), lambda value: pattern.search(value) is not None)


def _to_rust(regex: str) -> str:
    r"""Write an unescaped final `$` as Python means it: a newline may follow. And \Z as Rust has it."""
    if "(?m" not in regex and re.search(r"(?<!\\)(\\\\)*\$\Z", regex):
        regex = regex[:-1] + r"(?:\n?\z)"
    return re.sub(r"(?<!\\)((?:\\\\)*)\\Z", r"\1\\z", regex)


def _is_rust_regex(regex: str) -> bool:
    try:
        pl.Series([""]).str.contains(regex, strict=True)
    except pl.exceptions.ComputeError:
        return False
    return True


def _by_python(text: pl.Expr, holds: Callable[[Any], bool]) -> pl.Expr:
    """Ask Python value by value; nulls stay null. What is not tested must be null: Python may refuse it."""

    def ask(values: pl.Series) -> pl.Series:
        return pl.Series([None if value is None else holds(value) for value in values], dtype=pl.Boolean)

    return text.map_batches(ask, return_dtype=pl.Boolean, is_elementwise=True)


@row_test("column_values.match_regex")
def _match_regex(domain: Domain, regex: str) -> pl.Expr:
    return _matches(domain, regex)


@row_test("column_values.not_match_regex")
def _not_match_regex(domain: Domain, regex: str) -> pl.Expr:
    return ~_matches(domain, regex)


@row_test("column_values.match_regex_list")
def _match_regex_list(domain: Domain, regex_list: Iterable[str], match_on: str | None = None) -> pl.Expr:
    return _combine([_matches(domain, regex) for regex in regex_list], match_on)


@row_test("column_values.not_match_regex_list")
def _not_match_regex_list(domain: Domain, regex_list: Iterable[str]) -> pl.Expr:
    return ~_combine([_matches(domain, regex) for regex in regex_list], "any")


def _combine(verdicts: list[pl.Expr], match_on: str | None) -> pl.Expr:
    if not verdicts:
        raise ValueError("At least one pattern is needed.")
    if match_on not in {None, "any", "all"}:
        raise ValueError("match_on must be either 'any' or 'all'")
    return pl.all_horizontal(verdicts) if match_on == "all" else pl.any_horizontal(verdicts)


def _is_like(domain: Domain, pattern: str, escape: str | None) -> pl.Expr:
    """True where SQL's LIKE matches. GX has no version for pandas; the rules are those of Postgres."""
    return as_text(domain.values, domain.dtype).str.contains(_like_to_regex(pattern, escape))


def _like_to_regex(pattern: str, escape: str | None) -> str:
    parts, escaped, mark = [], False, "\\" if escape is None else escape
    for character in pattern:
        if not escaped and character == mark:
            escaped = True
            continue
        wildcard = {"%": ".*", "_": "."}.get(character)
        parts.append(re.escape(character) if escaped or wildcard is None else wildcard)
        escaped = False
    return rf"\A(?s:{''.join(parts)})\z"


@row_test("column_values.match_like_pattern")
def _like(domain: Domain, like_pattern: str, escape: str | None = None) -> pl.Expr:
    return _is_like(domain, like_pattern, escape)


@row_test("column_values.not_match_like_pattern")
def _not_like(domain: Domain, like_pattern: str, escape: str | None = None) -> pl.Expr:
    return ~_is_like(domain, like_pattern, escape)


@row_test("column_values.match_like_pattern_list")
def _like_list(
    domain: Domain, like_pattern_list: Iterable[str], match_on: str | None = None, escape: str | None = None
) -> pl.Expr:
    return _combine([_is_like(domain, pattern, escape) for pattern in like_pattern_list], match_on)


@row_test("column_values.not_match_like_pattern_list")
def _not_like_list(domain: Domain, like_pattern_list: Iterable[str], escape: str | None = None) -> pl.Expr:
    return ~_combine([_is_like(domain, pattern, escape) for pattern in like_pattern_list], "any")


def _texts(domain: Domain, expectation: str) -> pl.Expr:
    if not isinstance(domain.dtype, (pl.String, pl.Null, pl.Categorical, pl.Enum)):
        raise TypeError(
            f"Values passed to {expectation} must be of type string.\nIf you want to validate a column of "
            "dates or timestamps, please call the expectation before converting from string format."
        )
    return domain.masked().cast(pl.String)


@row_test("column_values.match_strftime_format")
def _strftime(domain: Domain, strftime_format: str) -> pl.Expr:
    def parses(value: str) -> bool:
        try:
            datetime.strptime(value, strftime_format)  # noqa: DTZ007  (only whether it parses)
        except ValueError:
            return False
        return True

    return _by_python(_texts(domain, "expect_column_values_to_match_strftime_format"), parses)


@row_test("column_values.dateutil_parseable")
def _dateutil(domain: Domain) -> pl.Expr:
    def parses(value: str) -> bool:
        try:
            parse(value)
        except (ValueError, OverflowError):
            return False
        return True

    return _by_python(_texts(domain, "expect_column_values_to_be_dateutil_parseable"), parses)


@row_test("column_values.json_parseable")
def _json(domain: Domain) -> pl.Expr:
    def parses(value: Any) -> bool:
        try:
            json.loads(value)
        except (TypeError, ValueError, RecursionError):
            return False
        return True

    return _by_python(domain.masked(), parses)


@row_test("column_values.match_json_schema")
def _json_schema(domain: Domain, json_schema: Any) -> pl.Expr:
    import jsonschema  # noqa: PLC0415  (only this expectation needs it)

    validator = jsonschema.validators.validator_for(json_schema)(json_schema)

    def conforms(value: Any) -> bool:
        try:
            content = json.loads(value)
        except (TypeError, ValueError) as exc:
            raise ValueError(f"Column {domain.targets[0]!r}: {value!r} is no JSON ({exc}).") from None
        return bool(validator.is_valid(content))

    return _by_python(domain.masked(), conforms)
