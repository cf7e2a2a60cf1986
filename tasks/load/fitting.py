"""Make existing tables fit a load, in transactions of their own that come before the publishing one.

Changing a table's columns locks its readers out until the end of the transaction. In the publishing one that
would be as long as all of the load takes; here it is as long as the change, and a new column is null for the
moment between the two.
"""

import logging
import time
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from tasks.errors import ConfigurationError, RetriableError
from tasks.handover import Load, SchemaChange
from tasks.load import ledger, tables
from tasks.load.connection import Connection, fetch_int, first_line, limit_transaction, named_query
from tasks.load.ddl import comma, qualified, read_columns, set_type
from tasks.load.evolution import describe_change, plan_changes
from tasks.load.shape import target_columns
from tasks.load.staging import SCHEMA as STAGING
from tasks.load.staging import staging_name
from tasks.load.widening import rewrites
from tasks.pipeline import Pipeline, Table
from tasks.timings import part

log = logging.getLogger(__name__)

REWRITE_LIMIT_BYTES = 2**30
"""A table larger than this is not written anew while its readers wait: a person chooses the hour."""
PATIENCE_S = 2.0
TRIES = 5

Types = Mapping[str, Mapping[str, str]]
"""Columns and Postgres types of each table's frame."""


@part("shape")
def fit_tables(
    conn: Connection, pipeline: Pipeline, load: Load, types: Types, *, statement_timeout_s: float
) -> None:
    """Let the tables that exist follow the load's columns; refused for one table, no table changes.

    Raises:
        ConfigurationError: A change is not declared, does not work, or would lock a large table for long.
        RetriableError: A reader keeps the table for longer than its other readers should wait for us.
    """
    schema = pipeline.target_schema
    known = {table.name: tables.read_known(conn, schema, table.name) for table in pipeline.tables}
    for table in pipeline.tables:
        tables.refuse_other_writer(pipeline, table, known[table.name])
    planned = [
        (table, changes)
        for table in pipeline.tables
        if (changes := plan_changes(conn, schema, table, types[table.name], known[table.name].columns))
    ]
    for table, changes in planned:
        _refuse_long_lock(conn, schema, table, changes)
    for table, changes in planned:
        _change_table(conn, schema, table, load, changes, statement_timeout_s=statement_timeout_s)
    for table in pipeline.tables:
        _fit_staging(conn, schema, table, load, types[table.name], statement_timeout_s=statement_timeout_s)


def _change_table(
    conn: Connection,
    schema: str,
    table: Table,
    load: Load,
    changes: Sequence[SchemaChange],
    *,
    statement_timeout_s: float,
) -> None:
    """Apply all changes of one table, waiting for its readers only as long as others may wait for us."""
    for tried in range(1, TRIES + 1):
        try:
            with conn.transaction():
                limit_transaction(conn, statement_timeout_s=statement_timeout_s, lock_timeout_s=PATIENCE_S)
                conn.execute("SET LOCAL timezone = 'UTC'")
                ledger.claim_attempt(conn, load.load_id, load.attempt_no)
                for change in changes:
                    _apply(conn, change)
                tables.record_changes(conn, load, schema, changes)
        except psycopg.errors.LockNotAvailable as exc:
            holders = _name_holders(conn, schema, table)
            if tried == TRIES:
                raise RetriableError(
                    f"{table.name}: columns change, and its readers did not leave it for {PATIENCE_S:.0f} s "
                    f"in {TRIES} tries{holders}. Nothing is published; run the pipeline again."
                ) from exc
            log.info("%s: columns change as soon as its readers leave it%s", table.name, holders)
            time.sleep(PATIENCE_S / 2)
        else:
            break
    for change in changes:
        log.warning("%s: %s", table.name, describe_change(change))


def _apply(conn: Connection, change: SchemaChange) -> None:
    if change.kind not in {"column added", "column widened"} or change.statement is None:
        return
    try:
        conn.execute(change.statement.encode())
    except (psycopg.errors.FeatureNotSupported, psycopg.DataError, psycopg.ProgrammingError) as exc:
        detail = f" ({exc.diag.message_detail})" if exc.diag.message_detail else ""
        raise ConfigurationError(
            f"{change.table}: {describe_change(change)}, and the change fails: {first_line(exc)}{detail}. "
            f"Make way for it, or make it yourself: {change.statement}"
        ) from exc


def _refuse_long_lock(conn: Connection, schema: str, table: Table, changes: Sequence[SchemaChange]) -> None:
    rewriting = [
        change
        for change in changes
        if change.kind == "column widened" and rewrites(str(change.before), str(change.after))
    ]
    if not rewriting:
        return
    name = qualified(schema, table.name).as_string(conn)
    size = fetch_int(conn, "SELECT pg_total_relation_size(to_regclass(%s))", name)
    what = "; ".join(map(describe_change, rewriting))
    if size > REWRITE_LIMIT_BYTES:
        raise ConfigurationError(
            f"{table.name}: {what}. Postgres would write the table's {size / 2**30:.1f} GiB anew while its "
            "readers wait. Run it when they can: "
            f"{'; '.join(str(change.statement) for change in rewriting)} — or cast in the transform."
        )
    log.warning("%s: %s; its %.0f MiB are written anew", table.name, what, size / 2**20)


def _fit_staging(
    conn: Connection,
    schema: str,
    table: Table,
    load: Load,
    types: Mapping[str, str],
    *,
    statement_timeout_s: float,
) -> None:
    """Give staged columns the wider or declared types of the target, so that rows can be compared."""
    wanted = target_columns(table, types) | read_columns(conn, schema, table.name)
    staged = read_columns(conn, STAGING, staging_name(load.load_id, table.name))
    casts = [set_type(name, wanted[name]) for name, kind in staged.items() if wanted.get(name, kind) != kind]
    if not casts:
        return
    name = qualified(STAGING, staging_name(load.load_id, table.name))
    with conn.transaction():
        limit_transaction(conn, statement_timeout_s=statement_timeout_s)
        conn.execute("SET LOCAL timezone = 'UTC'")
        try:
            conn.execute(sql.SQL("ALTER TABLE {} {}").format(name, comma(casts)))
        except psycopg.DataError as exc:
            raise ConfigurationError(
                f"{table.name}: a value is not of the declared type: {first_line(exc)}. Let the suite divert "
                "such rows, or drop the column from types."
            ) from exc
    conn.execute(sql.SQL("ANALYZE {}").format(name))


def _name_holders(conn: Connection, schema: str, table: Table) -> str:
    """Who has the table, as far as this role may see."""
    name = qualified(schema, table.name).as_string(conn)
    rows = conn.execute(named_query("find_holders"), (name,)).fetchall()
    return f": it is held by {', '.join(str(row[0]) for row in rows)}" if rows else ""
