"""Primary keys: which rows of a batch are the newest of their key, and which cannot be told apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tasks.validate.quarantine import REASONS

ROW = "__assay_row"

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
    """Rows whose key is null or not unique, with their position; none in a sound batch.

    Keys with different hashes are different, and 8 bytes a row are held instead of all keys; those behind a
    hash that comes twice are compared themselves.
    """
    hashed = _hash_of(frame.collect_schema(), key)
    has_null = pl.any_horizontal(pl.col(list(key)).is_null())
    repeated = _find_repeated(frame.select(pl.when(~has_null).then(hashed)))
    indexed = frame.with_row_index(ROW)
    if repeated is None:
        return indexed.head(0).collect()
    candidates = indexed.filter(has_null | hashed.is_in(repeated.implode())).collect(engine="streaming")
    is_copy = pl.struct(list(key)).is_duplicated()
    return candidates.filter(has_null | is_copy).sort(ROW)


def _hash_of(schema: pl.Schema, key: Sequence[str]) -> pl.Expr:
    # The number behind a category may be another in every part of a file.
    is_category = {name: isinstance(schema[name], pl.Categorical | pl.Enum) for name in key}
    columns = [pl.col(name).cast(pl.String) if is_category[name] else pl.col(name) for name in key]
    return (pl.struct(columns) if len(columns) > 1 else columns[0]).hash()


def _find_repeated(hashes: pl.LazyFrame) -> pl.Series | None:
    """Hashes that come more than once; None where all are unique and none is null."""
    found = hashes.collect(engine="streaming").to_series()
    nulls = found.null_count()
    found = found.drop_nulls().sort(in_place=True) if nulls else found.sort(in_place=True)
    repeated = found.filter(found == found.shift(1)).unique()
    return None if repeated.is_empty() and not nulls else repeated


def _newest(rows: pl.DataFrame, key: Sequence[str], version_by: str | None) -> pl.DataFrame:
    if version_by is None:
        return rows
    greatest = pl.col(version_by).max().over(list(key))
    return rows.filter(pl.col(version_by).eq_missing(greatest))


def _with_reason(rows: pl.DataFrame, reason: pl.Expr) -> pl.DataFrame:
    return rows.drop(ROW).with_columns(pl.concat_list(reason).alias(REASONS))
