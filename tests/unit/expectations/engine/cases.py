"""GX's own cases as typed Polars frames and expectations; see `docs/engine.md` for what is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from dateutil.parser import parse  # type: ignore[import-untyped]  # ships no types
from great_expectations.expectations.registry import _registered_expectations

CASES = Path(__file__).parents[4] / "../shared/gx-cases"


@dataclass(frozen=True)
class Case:
    """One test of GX on one data set."""

    name: str
    expectation_type: str
    dataset: dict[str, Any]
    test: dict[str, Any]

    @property
    def backend(self) -> str:
        """The backend of GX that is asked: pandas, except for LIKE, which it does not have."""
        return "postgresql" if "like_pattern" in self.expectation_type else "pandas"

    @property
    def left_out(self) -> str | None:
        """Why this case cannot be asked, None if it can."""
        if self.expectation_type not in _registered_expectations:
            return "the expectation no longer exists"
        only, suppressed = _backends(self.test.get("only_for")), _backends(self.test.get("suppress_test_for"))
        if only and self.backend not in only:
            return "for other backends only"
        if self.backend in suppressed:
            return "suppressed by GX"
        needs = self._named_columns() or set(self.dataset["data"])
        return (
            "the data has mixed types"
            if needs - set(self.frame().columns) - self._unknown_columns()
            else None
        )

    def frame(self) -> pl.DataFrame:
        """The data, without columns that mix types."""
        schema = self.dataset.get("schemas", {}).get("pandas", {})
        columns = (_column(name, v, schema.get(name, "")) for name, v in self.dataset["data"].items())
        return pl.DataFrame([column for column in columns if column is not None])

    def _named_columns(self) -> set[str]:
        kwargs = self.test["in"]
        keys = kwargs.get("unexpected_index_column_names") or []
        pair = [kwargs.get("column"), kwargs.get("column_A"), kwargs.get("column_B")]
        return {name for name in (*pair, *(kwargs.get("column_list") or []), *keys) if name}

    def _unknown_columns(self) -> set[str]:
        return self._named_columns() - set(self.dataset["data"])


def read_cases() -> Iterator[Case]:
    for path in sorted(CASES.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        for i, dataset in enumerate(content["datasets"]):
            for j, test in enumerate(dataset["tests"]):
                name = f"{path.stem}[{i}.{j}] {test.get('title', '')}"
                yield Case(name, content["expectation_type"], dataset, test)


def _backends(entry: Any) -> set[str]:
    names = [entry] if isinstance(entry, str) else (entry or [])
    return {str(name).split("_", maxsplit=1)[0] for name in names}


def _column(name: str, values: list[Any], wanted: str) -> pl.Series | None:
    """A typed column, None if its values are of more than one type."""
    if "datetime" in wanted.lower() or "timestamp" in wanted.lower():
        return pl.Series(name, [None if v is None else parse(v) for v in values], dtype=pl.Datetime("us"))
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return pl.Series(name, [None if v is None else float(v) for v in values], dtype=pl.Float64)
    if len(kinds) > 1:
        return None
    return pl.Series(name, values, strict=True)
