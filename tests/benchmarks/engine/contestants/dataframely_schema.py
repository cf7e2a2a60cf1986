"""The same checks as a dataframely schema; `filter` is what tells the failures of every rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl

from tests.benchmarks.engine.checks import Check, Verdicts

# Column types know some checks; the others are rules. Either becomes one expression of dataframely's.
TYPES = {
    pl.Int64: dy.Int64,
    pl.String: dy.String,
    pl.Datetime("us"): dy.Datetime,
}


def load(path: Path, columns: list[str]) -> Any:
    return pl.read_parquet(path, columns=columns)


def validate(frame: Any, checks: tuple[Check, ...]) -> Verdicts:
    not_null = {check.column for check in checks if check.kind == "not_null"}
    body: dict[str, Any] = {
        name: TYPES[dtype](nullable=name not in not_null) for name, dtype in frame.schema.items()
    }
    rules = {check.name: check for check in checks if check.kind not in {"not_null", "columns"}}
    for number, check in enumerate(rules.values()):
        body[f"rule_{number}"] = _as_rule(check)
    schema = type("Flights", (dy.Schema,), body)
    _, failure = schema.filter(frame)  # type: ignore[attr-defined]  # made above
    counts = failure.counts()
    verdicts = {name: f"rule_{number}" not in counts for number, name in enumerate(rules)}
    for check in checks:
        if check.kind == "not_null":
            verdicts[check.name] = f"{check.column}|nullability" not in counts
        elif check.kind == "columns":
            verdicts[check.name] = set(schema.column_names()) == set(check.args["column_set"])  # type: ignore[attr-defined]
    return verdicts


def _as_rule(check: Check) -> Any:
    expr = _holds(check)
    return dy.rule()(lambda cls: expr)  # noqa: ARG005  dataframely passes the class


def _holds(check: Check) -> pl.Expr:  # noqa: C901, PLR0911  one line a kind
    """Null where the value is null, which dataframely counts as kept."""
    column, args = pl.col(check.column) if check.column else pl.len(), check.args
    match check.kind:
        case "between":
            return column.is_between(args["min_value"], args["max_value"])
        case "in_set":
            return column.is_in(args["value_set"])
        case "not_in_set":
            return ~column.is_in(args["value_set"])
        case "regex":
            return column.str.contains(args["regex"])
        case "length":
            return column.str.len_chars().eq(args["value"])
        case "greater":
            return column > pl.col(args["column_B"])
        case "unique":
            return column.is_unique()
        case "row_count":
            return pl.len().is_between(args["min_value"], args["max_value"])
        case "mean":
            return column.mean().is_between(args["min_value"], args["max_value"])
        case "deviation":
            return column.std().is_between(args["min_value"], args["max_value"])
        case "max":
            return column.max().is_between(args["min_value"], args["max_value"])
        case "distinct_count":
            return column.drop_nulls().n_unique().is_between(args["min_value"], args["max_value"])
    raise NotImplementedError(check.kind)
