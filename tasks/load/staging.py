"""Staging tables: a load's clean rows, copied and committed before the publishing transaction opens."""

from collections.abc import Mapping

import polars as pl
from psycopg import sql

from tasks.errors import RetriableError
from tasks.handover import TableVerdict
from tasks.load.connection import Connection, fetch_int, lock_key
from tasks.load.ddl import column_definitions, identifiers, qualified

SCHEMA = "assay_staging"
BATCH_ROWS = 20_000


def staging_name(load_id: str, table: str) -> str:
    """Name of a load's staging table: the load's unique ending, then the table, in 63 bytes."""
    return f"{staging_prefix(load_id)}{table}"[:63]


def staging_prefix(load_id: str) -> str:
    """What the names of a load's staging tables begin with."""
    return f"{load_id.rpartition('-')[2]}_"


def prepare_staging(conn: Connection) -> None:
    """Create the staging schema; safe with two workers starting at once."""
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key("staging"),))
        conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))


def drop_leftovers(conn: Connection, load_ids: list[str]) -> int:
    """Drop the staging tables of these loads and say how many there were.

    Call it while holding the pipeline: nobody else can be filling them then.
    """
    prefixes = tuple(staging_prefix(load_id) for load_id in load_ids)
    rows = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (SCHEMA,))
    names = [str(name) for (name,) in rows if str(name).startswith(prefixes)] if prefixes else []
    for name in names:
        conn.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(qualified(SCHEMA, name)))
    return len(names)


def stage_rows(conn: Connection, load_id: str, verdict: TableVerdict) -> int:
    """Copy a table's clean rows into its staging table, afresh, and analyze it.

    Filled and committed outside the publishing transaction, UNLOGGED: no WAL for rows that may never be
    published, and no snapshot held while they arrive. Returns the rows copied.
    """
    name = staging_name(load_id, verdict.table)
    frame = pl.scan_parquet(verdict.clean)
    with conn.transaction():
        conn.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(qualified(SCHEMA, name)))
        conn.execute(
            sql.SQL("CREATE UNLOGGED TABLE {} ({})").format(
                qualified(SCHEMA, name), column_definitions(frame.collect_schema())
            )
        )
        copied = copy_frame(conn, qualified(SCHEMA, name), frame)
    conn.execute(sql.SQL("ANALYZE {}").format(qualified(SCHEMA, name)))
    return copied


def copy_frame(conn: Connection, table: sql.Identifier, frame: pl.LazyFrame) -> int:
    """COPY a frame into a table with the same columns, batch by batch; returns the rows copied."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        table, identifiers(frame.collect_schema().names())
    )
    with conn.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for batch in frame.collect_batches(chunk_size=BATCH_ROWS):
                copy.write(batch.write_csv(include_header=False).encode())
        return cursor.rowcount


def assert_staged(conn: Connection, load_id: str, expected: Mapping[str, int]) -> None:
    """Check that staging still holds what was copied: a crash of the server empties unlogged tables.

    Raises:
        RetriableError: It does not; staging it again helps.
    """
    for table, rows in expected.items():
        name = staging_name(load_id, table)
        staged = fetch_int(conn, sql.SQL("SELECT count(*) FROM {}").format(qualified(SCHEMA, name)))
        if staged != rows:
            raise RetriableError(
                f"{table}: staging holds {staged} rows, {rows} were copied. The database server was "
                "restarted in between; run the pipeline again."
            )
