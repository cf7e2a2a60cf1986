"""Rows that a load does not have any more: which of them stay nevertheless, and when they are too many."""

import msgspec
import polars as pl
from psycopg import sql

from tasks.handover import ExpectationOutcome, Extracted, TableVerdict
from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection, fetch_int, named_query
from tasks.load.ddl import identifiers
from tasks.load.quarantine import storable_key
from tasks.load.rules import broken_rule
from tasks.pipeline import Table
from tasks.pipeline.table import VALID_TO

LEAST_LEFT = 0.5
"""A load that leaves a smaller part of the rows than this is taken for a failure of the source."""


def ends_absent(table: Table) -> bool:
    """Whether a row that a whole load does not have is deleted, or ends."""
    return table.disposition == "replace" or (table.disposition == "scd2" and table.version_by is None)


def has_unknown_keys(verdict: TableVerdict, extracted: Extracted) -> bool:
    """Whether rows were kept out whose keys nobody knows: rejected records, and keys with a null."""
    return extracted.rejected_count > 0 or any(None in key.values() for key in _quarantined_keys(verdict))


def keep_quarantined_keys(conn: Connection, batch: Batch, verdict: TableVerdict) -> None:
    """Write the keys of quarantined rows to a temporary table: what is published of them is not absent."""
    conn.execute(
        batch.fill("CREATE TEMP TABLE {kept} ON COMMIT DROP AS SELECT {key} FROM {target} WHERE false")
    )
    texts = [msgspec.json.encode(key).decode() for key in _quarantined_keys(verdict)]
    keys = [(key,) for text in texts if (key := storable_key(batch.table, text)) is not None]
    if keys:
        query = batch.fill(
            named_query("keep_keys").as_string(),
            typed_key=identifiers(batch.key, "typed"),
            is_known=sql.SQL(" AND ").join(
                sql.SQL("{} IS NOT NULL").format(sql.Identifier("typed", name)) for name in batch.key
            ),
        )
        with conn.cursor() as cursor:
            cursor.executemany(query, keys)
    conn.execute(batch.fill("ANALYZE {kept}"))


def refuse_shrinking(conn: Connection, batch: Batch, changes: Changes) -> list[ExpectationOutcome]:
    """What to say when a load would leave less than half of the rows; nothing when that is allowed."""
    if batch.table.allow_shrink or not changes.absent:
        return []
    current = fetch_int(conn, _count_current(batch))
    left = current + changes.inserted - changes.deleted
    if batch.staged and left >= LEAST_LEFT * current:
        return []
    return [
        broken_rule(
            batch.table,
            "table_does_not_shrink",
            "critical",
            count=changes.absent,
            rows_seen=current,
            message=f"the load holds {batch.staged:,} rows and would leave {left:,} of {current:,}. If the "
            "source is right, accept the load, or declare allow_shrink=True",
        )
    ]


def tell_kept(batch: Batch, changes: Changes) -> list[ExpectationOutcome]:
    """What to say when absent rows stay, because they may be the good versions of rows that were kept out."""
    if not changes.withheld:
        return []
    return [
        broken_rule(
            batch.table,
            "absent_rows_are_deleted",
            "warning",
            count=changes.withheld,
            rows_seen=batch.staged,
            message=f"{changes.withheld:,} rows are not in the load and stay: records were kept out whose "
            "keys nobody knows, and the rows may be theirs. They go with the first load without such records",
        )
    ]


def _count_current(batch: Batch) -> sql.Composed:
    if batch.table.disposition == "scd2":
        return batch.fill("SELECT count(*) FROM {target} WHERE {end} IS NULL", end=sql.Identifier(VALID_TO))
    return batch.fill("SELECT count(*) FROM {target}")


def _quarantined_keys(verdict: TableVerdict) -> list[dict[str, object]]:
    if verdict.quarantine is None:
        return []
    keys = pl.read_parquet(verdict.quarantine, columns=["key"]).get_column("key").drop_nulls()
    return [msgspec.json.decode(key, type=dict[str, object]) for key in keys]
