"""Primary keys: which rows of a batch are the newest of their key, and which cannot be told apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tasks.validate.quarantine import REASONS

ROW = "__assay_row"
COPIES = "__assay_copies"

NULL_KEY = "primary key: {column} is null"
TIE = "primary key: another row has the same key and other values, and none is newer"


@dataclass(frozen=True)
class Keyed:
    """A batch by its keys: rows = remaining + superseded + faulty.

    `remaining` has one row a key; `faulty` the rows to quarantine, with a column of reasons.
    """

    remaining: pl.LazyFrame
    superseded: int
    faulty: pl.DataFrame


def resolve_keys(frame: pl.LazyFrame, key: Sequence[str], version_by: str | None) -> Keyed:
    """Keep the newest row of each key.

    Exact copies and older versions are superseded. Newest rows of one key that differ are a tie: all of
    them are faulty, and so are rows with a null in the key. Without a key, every row stands for itself.
    """
    if not key:
        return Keyed(frame, 0, _with_reason(frame.with_row_index(ROW).head(0).collect(), pl.lit("")))
    schema = frame.collect_schema()
    suspects = _collect_suspects(frame, key)
    if suspects.is_empty():
        return Keyed(frame, 0, _with_reason(suspects, pl.lit("")))
    has_null = pl.any_horizontal(pl.col(list(key)).is_null())
    null_keys = suspects.filter(has_null)
    distinct = suspects.filter(~has_null).unique(subset=schema.names(), keep="first", maintain_order=True)
    newest = _newest(distinct, key, version_by)
    is_tied = pl.struct(list(key)).is_duplicated()
    ties, kept = newest.filter(is_tied), newest.filter(~is_tied)
    dropped = suspects.join(kept, on=ROW, how="anti").get_column(ROW)
    null_reason = pl.coalesce(
        pl.when(pl.col(name).is_null()).then(pl.lit(NULL_KEY.format(column=name))) for name in key
    )
    faulty = pl.concat([_with_reason(null_keys, null_reason), _with_reason(ties, pl.lit(TIE))])
    remaining = frame.with_row_index(ROW).filter(~pl.col(ROW).is_in(dropped.implode())).drop(ROW)
    return Keyed(remaining, dropped.len() - faulty.height, faulty)


def _collect_suspects(frame: pl.LazyFrame, key: Sequence[str]) -> pl.DataFrame:
    """Rows whose key is null or not unique, with their position; none in a sound batch."""
    keys = frame.select(key)
    repeated = (
        keys.group_by(key)
        .agg(pl.len().alias(COPIES))
        .filter((pl.col(COPIES) > 1) | pl.any_horizontal(pl.col(list(key)).is_null()))
        .select(key)
        .collect(engine="streaming")
    )
    indexed = frame.with_row_index(ROW)
    if repeated.is_empty():
        return indexed.head(0).collect()
    return indexed.join(repeated.lazy(), on=list(key), how="semi", nulls_equal=True).sort(ROW).collect()


def _newest(rows: pl.DataFrame, key: Sequence[str], version_by: str | None) -> pl.DataFrame:
    if version_by is None:
        return rows
    greatest = pl.col(version_by).max().over(list(key))
    return rows.filter(pl.col(version_by).eq_missing(greatest))


def _with_reason(rows: pl.DataFrame, reason: pl.Expr) -> pl.DataFrame:
    return rows.drop(ROW).with_columns(pl.concat_list(reason).alias(REASONS))
