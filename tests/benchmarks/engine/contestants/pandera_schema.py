"""The same checks as a pandera schema on Polars, all errors collected (`lazy=True`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandera.polars as pa
import polars as pl

from tests.benchmarks.engine.checks import COLUMNS, Check, Verdicts


def load(path: Path, columns: list[str]) -> Any:
    return pl.read_parquet(path, columns=columns)


def validate(frame: Any, checks: tuple[Check, ...]) -> Verdicts:
    of_table = [check for check in checks if check.kind in {"row_count", "columns", "greater"}]
    columns = {name: [c for c in checks if c.column == name and c not in of_table] for name in COLUMNS}
    schema = pa.DataFrameSchema(
        {name: _column(of_column) for name, of_column in columns.items()},
        checks=[_of_table(check) for check in of_table if check.kind != "columns"],
        strict=True,
    )
    failed: set[str] = set()
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as exc:
        failed = {_name_failed(error) for error in exc.schema_errors}
    return {check.name: check.name not in failed for check in checks}


def _name_failed(error: Any) -> str:
    """Name of the check of ours that an error is of."""
    if error.reason_code.name == "SERIES_CONTAINS_NULLS":
        return f"not_null {error.schema.name}"
    if error.reason_code.name == "SERIES_CONTAINS_DUPLICATES":
        return f"unique {error.schema.name}"
    return str(error.check.name)


def _column(checks: list[Check]) -> Any:
    kinds = {check.kind for check in checks}
    return pa.Column(
        nullable="not_null" not in kinds,
        unique="unique" in kinds,
        checks=[_of_column(check) for check in checks if check.kind not in {"not_null", "unique"}],
    )


def _of_column(check: Check) -> Any:  # noqa: PLR0911  one line a kind
    args = check.args
    match check.kind:
        case "between":
            return pa.Check.in_range(args["min_value"], args["max_value"], name=check.name)
        case "in_set":
            return pa.Check.isin(args["value_set"], name=check.name)
        case "not_in_set":
            return pa.Check.notin(args["value_set"], name=check.name)
        case "regex":
            return pa.Check.str_matches(args["regex"], name=check.name)
        case "length":
            return pa.Check.str_length(args["value"], args["value"], name=check.name)
        case "mean":
            return _aggregate(check, pl.Expr.mean)
        case "deviation":
            return _aggregate(check, pl.Expr.std)
        case "max":
            return _aggregate(check, pl.Expr.max)
        case "distinct_count":
            return _aggregate(check, lambda column: column.drop_nulls().n_unique())
    raise NotImplementedError(check.kind)


def _aggregate(check: Check, function: Any) -> Any:
    bounds = (check.args["min_value"], check.args["max_value"])
    return pa.Check(
        lambda data: data.lazyframe.select(function(pl.col(data.key)).is_between(*bounds)), name=check.name
    )


def _of_table(check: Check) -> Any:
    if check.kind == "row_count":
        bounds = (check.args["min_value"], check.args["max_value"])
        return pa.Check(lambda data: data.lazyframe.select(pl.len().is_between(*bounds)), name=check.name)
    other = pl.col(check.args["column_B"])
    return pa.Check(
        lambda data: data.lazyframe.select((pl.col(check.column) > other).fill_null(value=True)),
        name=check.name,
    )
