"""The same checks by hand: one Polars select over the frame in memory, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tests.benchmarks.engine.checks import Check, Verdicts


def load(path: Path, columns: list[str]) -> Any:
    return pl.read_parquet(path, columns=columns)


def validate(frame: Any, checks: tuple[Check, ...], *, by_hash: bool = False) -> Verdicts:
    asked = {check.name: _ask(check, by_hash) for check in checks if check.kind != "columns"}
    answers = frame.lazy().select(**asked).collect(engine=_engine(frame)).row(0, named=True)
    names = set(frame.lazy().collect_schema().names())
    return {
        check.name: names == set(check.args["column_set"])
        if check.kind == "columns"
        else _passes(check, answers[check.name])
        for check in checks
    }


def _engine(frame: Any) -> Any:
    return "streaming" if isinstance(frame, pl.LazyFrame) else "in-memory"


def _ask(check: Check, by_hash: bool) -> pl.Expr:  # noqa: C901, PLR0911, PLR0912  one line a kind
    """Number of unexpected rows, or the number asked for."""
    column, args = pl.col(check.column) if check.column else pl.len(), check.args
    match check.kind:
        case "row_count":
            return pl.len()
        case "not_null":
            return column.null_count()
        case "between":
            return (~column.is_between(args["min_value"], args["max_value"])).sum()
        case "in_set":
            return (~column.is_in(args["value_set"])).sum()
        case "not_in_set":
            return column.is_in(args["value_set"]).sum()
        case "regex":
            return (~column.str.contains(args["regex"])).sum()
        case "length":
            return column.str.len_chars().ne(args["value"]).sum()
        case "greater":
            return (column <= pl.col(args["column_B"])).sum()
        case "unique":
            values = column.drop_nulls()
            return column.count() - (values.hash().sort() if by_hash else values).n_unique()
        case "mean":
            return column.mean()
        case "deviation":
            return column.std()
        case "max":
            return column.max()
        case "distinct_count":
            return column.drop_nulls().n_unique()
    raise NotImplementedError(check.kind)


def _passes(check: Check, answer: Any) -> bool:
    if check.kind in {"row_count", "mean", "deviation", "max", "distinct_count"}:
        return bool(check.args["min_value"] <= answer <= check.args["max_value"])
    return bool(answer == 0)
