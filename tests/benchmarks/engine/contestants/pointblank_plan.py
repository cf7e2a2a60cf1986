"""The same checks as a pointblank validation plan; extracts of failing rows are not asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pointblank as pb
import polars as pl

from tests.benchmarks.engine.checks import Check, Verdicts


def load(path: Path, columns: list[str]) -> Any:
    return pl.read_parquet(path, columns=columns)


def validate(frame: Any, checks: tuple[Check, ...]) -> Verdicts:
    plan = pb.Validate(frame)
    for check in checks:
        plan = _add(plan, check)
    done = plan.interrogate(collect_extracts=False)
    assert not any(step.eval_error for step in done.validation_info), "a step could not be evaluated"
    steps = zip(checks, done.validation_info, strict=True)
    return {check.name: bool(step.all_passed) for check, step in steps}


def _add(plan: Any, check: Check) -> Any:  # noqa: PLR0911  one line a kind
    column, args = check.column, check.args
    match check.kind:
        case "not_null":
            return plan.col_vals_not_null(column)
        case "between":
            return plan.col_vals_between(column, args["min_value"], args["max_value"], na_pass=True)
        case "in_set":
            return plan.col_vals_in_set(column, args["value_set"])
        case "not_in_set":
            return plan.col_vals_not_in_set(column, args["value_set"])
        case "regex":
            return plan.col_vals_regex(column, args["regex"], na_pass=True)
        case "greater":
            return plan.col_vals_gt(column, pb.col(args["column_B"]), na_pass=True)
        case "unique":
            return plan.rows_distinct(columns_subset=[column])
        case "length":
            return plan.col_vals_expr(pl.col(column).str.len_chars() == args["value"])
    return plan.specially(lambda frame: _holds(frame, check))


def _holds(frame: pl.DataFrame, check: Check) -> bool:
    if check.kind == "columns":
        return set(frame.columns) == set(check.args["column_set"])
    column = pl.col(check.column) if check.column else pl.len()
    asked = {
        "row_count": pl.len(),
        "mean": column.mean(),
        "deviation": column.std(),
        "max": column.max(),
        "distinct_count": column.n_unique(),
    }[check.kind]
    return bool(check.args["min_value"] <= frame.select(asked).item() <= check.args["max_value"])
