"""Rows that were staged before the gate had judged them: those that it took out are taken out of staging."""

import polars as pl
from psycopg import sql

from tasks.handover import TableVerdict, Transformed
from tasks.load.connection import Connection, limit_transaction
from tasks.load.ddl import column_definitions, column_types, identifiers, qualified
from tasks.load.diff import same_values
from tasks.load.staging import SCHEMA, copy_frame, count_staged, ensure_statistics, staging_name
from tasks.pipeline import Table

MOST = 0.1
"""With a larger share of the keys concerned, staging afresh is the faster way."""


def settle_staged(
    conn: Connection,
    load_id: str,
    table: Table,
    transformed: Transformed,
    verdict: TableVerdict,
    *,
    statement_timeout_s: float,
) -> bool:
    """Leave the clean rows alone in staging, and see it analyzed; False when it must be filled afresh.

    That is so when staging does not hold what was copied, when rows cannot be told apart by a key, and when
    much was taken out.
    """
    name = staging_name(load_id, table.name)
    staging = qualified(SCHEMA, name)
    if count_staged(conn, load_id, table.name) != transformed.row_count:
        return False
    if verdict.clean != transformed.rows:
        concerned = _find_concerned(transformed, verdict, table.identity)
        if concerned is None or concerned.height > MOST * transformed.row_count:
            return False
        with conn.transaction():
            # It may be indexed right now, for as long as a large table takes.
            limit_transaction(
                conn, statement_timeout_s=statement_timeout_s, lock_timeout_s=statement_timeout_s
            )
            _replace(conn, staging, concerned, pl.scan_parquet(verdict.clean, glob=False))
        if count_staged(conn, load_id, table.name) != verdict.clean_count:
            return False
    ensure_statistics(conn, name, table, verdict.clean_count, statement_timeout_s=statement_timeout_s)
    return True


def _find_concerned(
    transformed: Transformed, verdict: TableVerdict, key: tuple[str, ...]
) -> pl.DataFrame | None:
    """Keys of which a row was taken out, once each; None without a key."""
    if not key:
        return None
    before = pl.scan_parquet(transformed.rows, glob=False).select(*key, pl.lit(1).alias("assay: rows"))
    after = pl.scan_parquet(verdict.clean, glob=False).select(*key, pl.lit(-1).alias("assay: rows"))
    return (
        pl.concat([before, after])
        .group_by(key)
        .agg(pl.col("assay: rows").sum())
        .filter(pl.col("assay: rows") != 0)
        .select(key)
        .collect(engine="streaming")
    )


def _replace(conn: Connection, staging: sql.Identifier, keys: pl.DataFrame, clean: pl.LazyFrame) -> None:
    """Delete all rows with these keys, and copy the clean ones among them again."""
    names = keys.columns
    concerned = sql.Identifier("concerned")
    conn.execute(
        sql.SQL("CREATE TEMP TABLE {} ({}) ON COMMIT DROP").format(
            concerned, column_definitions(column_types("concerned", keys.schema))
        )
    )
    copy_frame(conn, concerned, keys.lazy())
    conn.execute(sql.SQL("ANALYZE {} ({})").format(concerned, identifiers(names)))
    conn.execute(
        sql.SQL("DELETE FROM {} old USING {} WHERE {}").format(
            staging, concerned, same_values(names, "old", "concerned")
        )
    )
    # The gate lets no row with a null in its key pass.
    is_null = sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(sql.Identifier(name)) for name in names)
    conn.execute(sql.SQL("DELETE FROM {} WHERE {}").format(staging, is_null))
    copy_frame(conn, staging, clean.join(keys.lazy(), on=names, how="semi"))
