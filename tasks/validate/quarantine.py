"""Quarantined rows on their way to the ledger: what each one held, and why it was diverted."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from great_expectations.expectations.expectation import Expectation

from tasks.eras import has_common_years
from tasks.texts import as_json

REASONS = "__assay_reasons"
REASON_LENGTH = 300
PART_ROWS = 20_000
SCHEMA = pl.Schema(
    {"reasons": pl.List(pl.String()), "key": pl.String(), "row": pl.String(), "row_sha256": pl.String()}
)
NOT_ARGUMENTS = {
    "column",
    "column_A",
    "column_B",
    "column_list",
    "batch_id",
    "result_format",
    "catch_exceptions",
}


def with_reasons(rows: pl.DataFrame, reasons: Sequence[pl.Expr]) -> pl.DataFrame:
    """Rows with a column that lists the reasons that apply to each."""
    empty = pl.lit([], dtype=pl.List(pl.String))
    return rows.with_columns((pl.concat_list(reasons).list.drop_nulls() if reasons else empty).alias(REASONS))


def state_reason(expectation: Expectation) -> str:
    """What a row was expected to be, in one line: columns, expectation, arguments."""
    config = expectation.configuration
    kwargs: dict[str, Any] = config.kwargs
    columns = name_columns(kwargs)
    arguments = ", ".join(
        f"{name}={value!r}"
        for name, value in kwargs.items()
        if name not in NOT_ARGUMENTS and value is not None
    )
    reason = f"{columns}: {config.type}({arguments})"
    return reason if len(reason) <= REASON_LENGTH else f"{reason[: REASON_LENGTH - 1]}…"


def name_columns(kwargs: dict[str, Any]) -> str | None:
    """The column, or the columns, that an expectation is about."""
    if "column" in kwargs:
        return str(kwargs["column"])
    pair = [kwargs[name] for name in ("column_A", "column_B") if name in kwargs]
    return ", ".join(map(str, pair or kwargs.get("column_list") or [])) or None


def write_quarantine(rows: pl.DataFrame, key: Sequence[str], path: Path) -> str | None:
    """Write quarantined rows as reasons, key and row (JSON text) and the row's hash; None without rows.

    The key is null where the table has none.
    """
    if rows.is_empty():
        return None
    parts = [_describe_rows(part, key) for part in rows.iter_slices(PART_ROWS)]
    pl.concat(parts).write_parquet(path)
    return str(path)


def _describe_rows(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    texts = [as_json(column) for column in rows.get_columns() if _needs_text(column)]
    written = [text.name for text in texts]
    return pl.DataFrame(
        [
            _describe_row(row | {name: _raw(row[name]) for name in written}, key)
            for row in rows.with_columns(texts).iter_rows(named=True)
        ],
        SCHEMA,
    )


def _needs_text(column: pl.Series) -> bool:
    """Whether Python's own JSON would not have the values as a load writes them."""
    if column.name == REASONS:
        return False
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone not in {None, "UTC"}:
        return True  # JSON holds offsets in minutes, and local mean times had seconds
    if isinstance(column.dtype, pl.Date | pl.Datetime):
        return not has_common_years(column)
    exotic = (pl.Duration, pl.Binary, pl.Int128, pl.UInt128)
    return column.dtype.is_float() or column.dtype.is_nested() or isinstance(column.dtype, exotic)


def _raw(text: str | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text.encode())


def _describe_row(row: dict[str, Any], key: Sequence[str]) -> dict[str, Any]:
    reasons = row.pop(REASONS)
    as_json = msgspec.json.encode(row, order="sorted")
    return {
        "reasons": reasons,
        "key": msgspec.json.encode({name: row[name] for name in key}).decode() if key else None,
        "row": as_json.decode(),
        "row_sha256": hashlib.sha256(as_json).hexdigest(),
    }
