"""GX's own cases as typed Polars frames and expectations."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from dateutil.parser import parse  # type: ignore[import-untyped]  # ships no types
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.registry import _registered_expectations, get_expectation_impl

CASES = Path(os.environ.get("ASSAY_GX_CASES") or Path(__file__).parents[4] / "../shared/gx-cases")
_RUNTIME = frozenset({"result_format", "catch_exceptions"})
_TYPES: dict[str, pl.DataType] = {
    "str": pl.String(),
    "float": pl.Float64(),
    "float64": pl.Float64(),
    "int": pl.Int64(),
    "int64": pl.Int64(),
    "Int64Dtype": pl.Int64(),
    "bool": pl.Boolean(),
}


@dataclass(frozen=True)
class Case:
    """One test of GX on one data set."""

    name: str
    expectation_type: str
    dataset: dict[str, Any]
    test: dict[str, Any]

    @property
    def is_like(self) -> bool:
        """Whether it is about SQL's LIKE, which GX does not have for pandas: Postgres is asked instead."""
        return "like_pattern" in self.expectation_type

    @property
    def result_format(self) -> Any:
        """The case's own where it names a key, else all of the result."""
        own = self.test["in"].get("result_format") if isinstance(self.test["in"], dict) else None
        return own if isinstance(own, dict) else {"result_format": "COMPLETE"}

    def expectation(self) -> Expectation | str:
        """The expectation, or why it cannot be asked."""
        if obstacle := self._obstacle():
            return obstacle
        kwargs = {key: value for key, value in self.test["in"].items() if key not in _RUNTIME}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # row conditions as strings
            try:
                return get_expectation_impl(self.expectation_type)(**kwargs)
            except ValueError:
                return "GX refuses the arguments"

    def _obstacle(self) -> str | None:
        if self.expectation_type not in _registered_expectations:
            return "the expectation no longer exists"
        if not isinstance(self.dataset["data"], dict):
            return "about more than one table"
        if not isinstance(self.test["in"], dict):
            return "the arguments have no names"
        if self.is_like and not self._is_for("postgresql"):
            return "LIKE of another database than Postgres"
        is_mixed = self._needed_columns() - set(self.frame().columns) - self._unknown_columns()
        return "the data has mixed types" if is_mixed else None

    def frame(self) -> pl.DataFrame:
        """The data, without columns that mix types."""
        schema = self.dataset.get("schemas", {}).get("pandas", {})
        columns = (_column(name, v, schema.get(name, "")) for name, v in self.dataset["data"].items())
        return pl.DataFrame([column for column in columns if column is not None])

    def agrees_with(self, result: Any, *, did_raise: bool) -> bool:
        """Whether a result is what the case itself asks for."""
        if "error" in self.test:
            return did_raise
        return bool(not did_raise and result.success == self.test["out"].get("success", result.success))

    def _is_for(self, backend: str) -> bool:
        only, suppressed = _backends(self.test.get("only_for")), _backends(self.test.get("suppress_test_for"))
        return (not only or backend in only) and backend not in suppressed

    def _needed_columns(self) -> set[str]:
        return self._named_columns() or set(self.dataset["data"])

    def _named_columns(self) -> set[str]:
        kwargs = self.test["in"]
        keys = kwargs.get("unexpected_index_column_names") or []
        pair = [kwargs.get("column"), kwargs.get("column_A"), kwargs.get("column_B")]
        return {name for name in (*pair, *(kwargs.get("column_list") or []), *keys) if name}

    def _unknown_columns(self) -> set[str]:
        return self._named_columns() - set(self.dataset["data"])


def read_cases(folder: Path = CASES) -> Iterator[Case]:
    """All cases of a folder, by file."""
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        for i, dataset in enumerate(content["datasets"]):
            for j, test in enumerate(dataset["tests"]):
                yield Case(f"{path.stem}[{i}.{j}]", content["expectation_type"], dataset, test)


def _backends(entry: Any) -> set[str]:
    names = [entry] if isinstance(entry, str) else (entry or [])
    return {match[0] for name in names if (match := re.match("[a-z]+", str(name)))}


def _column(name: str, values: list[Any], wanted: str) -> pl.Series | None:
    """A typed column, None if its values are of more than one type."""
    if "datetime" in wanted.lower() or "timestamp" in wanted.lower():
        return pl.Series(name, [None if v is None else parse(v) for v in values], dtype=pl.Datetime("us"))
    if wanted == "str":
        return pl.Series(name, [None if v is None else str(v) for v in values], dtype=pl.String)
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return pl.Series(name, [None if v is None else float(v) for v in values], dtype=pl.Float64)
    if len(kinds) > 1:
        return None
    column = pl.Series(name, values, strict=True)
    dtype = _TYPES.get(wanted)
    return column if dtype is None else column.cast(dtype)
