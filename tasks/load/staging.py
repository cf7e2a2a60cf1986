"""Staging tables: a load's clean rows, copied and committed before the publishing transaction opens."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import polars as pl
import psycopg
from psycopg import sql

from tasks.errors import ConfigurationError, RetriableError
from tasks.handover import TableVerdict
from tasks.load.connection import Connection, fetch_int, first_line, limit_transaction
from tasks.load.ddl import (
    column_definitions,
    column_types,
    ensure_schema,
    identifiers,
    qualified,
    read_columns,
)
from tasks.load.encoding import encode_batch
from tasks.load.shape import target_columns
from tasks.pipeline import Pipeline, Table
from tasks.timings import part

SCHEMA = "assay_staging"
BATCH_ROWS = 20_000
_KNOWN_ROWS = "SELECT reltuples::int8 FROM pg_class WHERE oid = to_regclass(%s)"
"""Below zero for a table that was never analyzed."""
_TOLERATED = 0.1
"""Share of the rows by which those that ANALYZE counted may be off: it looks at a sample of a large table."""


def staging_name(load_id: str, table: str) -> str:
    """Name of a load's staging table: the load's unique ending, then the table."""
    return f"{staging_prefix(load_id)}{table}"


def staging_prefix(load_id: str) -> str:
    """What the names of a load's staging tables begin with."""
    return f"{load_id.rpartition('-')[2]}_"


def prepare_staging(conn: Connection) -> None:
    """Create the staging schema; safe with two workers starting at once."""
    with conn.transaction():
        ensure_schema(conn, SCHEMA)


def drop_leftovers(conn: Connection, load_ids: list[str]) -> int:
    """Drop the staging tables of these loads and say how many there were.

    Call it while holding the pipeline: nobody else can be filling them then.

    Raises:
        psycopg.OperationalError: The backend of a killed run is still at one of them.
    """
    prefixes = tuple(staging_prefix(load_id) for load_id in load_ids)
    rows = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (SCHEMA,))
    names = [str(name) for (name,) in rows if str(name).startswith(prefixes)] if prefixes else []
    drop_staging(conn, names, lock_timeout_s=60)
    return len(names)


def drop_staging(conn: Connection, names: Iterable[str], *, lock_timeout_s: float) -> None:
    """Drop staging tables, waiting no longer than this for those who read them."""
    with conn.transaction():
        limit_transaction(conn, statement_timeout_s=60, lock_timeout_s=lock_timeout_s)
        for name in names:
            conn.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(qualified(SCHEMA, name)))


def create_staging(conn: Connection, name: str, types: Mapping[str, str], *, is_first: bool) -> None:
    """Create an empty staging table in place of what there is by that name.

    UNLOGGED, since no WAL should be written for rows that may never be published; but logged where it is to
    become the table itself, which a first load makes of it.
    """
    conn.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(qualified(SCHEMA, name)))
    conn.execute(
        sql.SQL("CREATE {} {} ({})").format(
            sql.SQL("TABLE" if is_first else "UNLOGGED TABLE"),
            qualified(SCHEMA, name),
            column_definitions(types),
        )
    )


def stage_rows(
    conn: Connection,
    load_id: str,
    table: Table,
    verdict: TableVerdict,
    *,
    is_first: bool = False,
    statement_timeout_s: float = 600,
) -> int:
    """Copy a table's clean rows into its staging table, afresh, and analyze it.

    Filled and committed outside the publishing transaction, so that no snapshot is held while they arrive.
    Returns the rows copied.

    Raises:
        ConfigurationError: Postgres has no such type, or cannot hold a value.
    """
    name = staging_name(load_id, verdict.table)
    frame = pl.scan_parquet(verdict.clean, glob=False)
    types = column_types(verdict.table, frame.collect_schema())
    with conn.transaction():
        # What the API's batches have filled may be indexed right now, for as long as a large table takes.
        limit_transaction(conn, statement_timeout_s=statement_timeout_s, lock_timeout_s=statement_timeout_s)
        create_staging(conn, name, types, is_first=is_first)
        with explain_values(verdict.table):
            copied = copy_frame(conn, qualified(SCHEMA, name), frame)
    gather_statistics(conn, name, table)
    return copied


def is_first_load(conn: Connection, pipeline: Pipeline, table: Table, frame: Mapping[str, str]) -> bool:
    """Whether what is staged, given by its columns, is to become a table that is not there yet."""
    return target_columns(table, frame) == dict(frame) and not read_columns(
        conn, pipeline.target_schema, table.name
    )


@contextmanager
def explain_values(table: str) -> Iterator[None]:
    """Say of which table a value is that Postgres refuses.

    Raises:
        ConfigurationError: Postgres cannot hold a value.
    """
    try:
        yield
    except psycopg.DataError as exc:
        raise ConfigurationError(
            f"{table}: Postgres cannot hold a value: {first_line(exc)} "
            f"({exc.diag.context}). Convert it in the transform, or keep it out by the suite."
        ) from exc


@part("copy")
def copy_frame(conn: Connection, table: sql.Identifier, frame: pl.LazyFrame) -> int:
    """COPY a frame into a table with the same columns, batch by batch; returns the rows copied."""
    columns = frame.collect_schema().names()
    batches = frame.collect_batches(chunk_size=BATCH_ROWS)
    return copy_encoded(conn, table, columns, map(encode_batch, batches))


def copy_encoded(
    conn: Connection, table: sql.Identifier, columns: Sequence[str], batches: Iterable[memoryview]
) -> int:
    """COPY batches from `encode_batch`, or pieces of them, into these columns; returns the rows copied."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(table, identifiers(columns))
    with conn.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for batch in batches:
                copy.write(batch)
        return cursor.rowcount


def gather_statistics(conn: Connection, name: str, table: Table) -> None:
    """Analyze a staging table.

    Rows meet those of the target by key, so that of a table of 19 columns one is analyzed, in a sixth of the
    time; all are where there is no key. Of a staging that becomes the table autovacuum, which counts no rows
    as analyzed when columns were left out, soon analyzes the others.
    """
    staging = qualified(SCHEMA, name)
    concerned = (*table.primary_key, table.version_by, table.tombstone) if table.primary_key else ()
    columns = [column for column in read_columns(conn, SCHEMA, name) if column in concerned]
    chosen = sql.SQL("({})").format(identifiers(columns)) if columns else sql.SQL("")
    conn.execute(sql.SQL("ANALYZE {} {}").format(staging, chosen))


def ensure_statistics(
    conn: Connection, name: str, table: Table, rows: int, *, statement_timeout_s: float
) -> None:
    """Analyze a staging table that has so many rows, unless that was done; wait where it is under way.

    Autovacuum may have analyzed it, too, when a part of the rows was there.
    """
    staging = qualified(SCHEMA, name)
    with conn.transaction():
        limit_transaction(conn, statement_timeout_s=statement_timeout_s, lock_timeout_s=statement_timeout_s)
        # The lock that ANALYZE holds until its end.
        conn.execute(sql.SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE").format(staging))
        known = fetch_int(conn, _KNOWN_ROWS, staging.as_string(conn))
        if known < 0 or abs(known - rows) > _TOLERATED * rows:
            gather_statistics(conn, name, table)


def count_staged(conn: Connection, load_id: str, table: str) -> int | None:
    """How many rows are staged; None when there is no staging."""
    name = staging_name(load_id, table)
    if not read_columns(conn, SCHEMA, name):
        return None
    return fetch_int(conn, sql.SQL("SELECT count(*) FROM {}").format(qualified(SCHEMA, name)))


def assert_staged(conn: Connection, load_id: str, expected: Mapping[str, int]) -> None:
    """Check that staging still holds what was copied: a crash of the server empties unlogged tables.

    Raises:
        RetriableError: It does not; staging it again helps.
    """
    for table, rows in expected.items():
        staged = count_staged(conn, load_id, table)
        if staged is None:
            raise RetriableError(
                f"{table}: staging is gone, {rows} rows were copied. Run the pipeline again."
            )
        if staged != rows:
            raise RetriableError(
                f"{table}: staging holds {staged} rows, {rows} were copied. The database server was "
                "restarted in between; run the pipeline again."
            )
