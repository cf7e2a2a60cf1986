"""A table's staging, filled batch by batch while the API is still read."""

from contextlib import ExitStack

import polars as pl
from psycopg import sql

from tasks.handover import Load
from tasks.load.connection import Connection, limit_transaction, open_connection
from tasks.load.ddl import column_types, qualified
from tasks.load.load import Target
from tasks.load.staging import (
    SCHEMA,
    copy_batches,
    create_staging,
    explain_values,
    is_first_load,
    staging_name,
)
from tasks.pipeline import Pipeline, Table
from tasks.timings import part


class StagingStream:
    """Copies batches of one table into its staging, on a connection of its own.

    Each batch in a transaction of its own: one that were open for as long as the API is slow would hold up
    the vacuum of all tables, and run into the time-out of statements.
    """

    def __init__(self, target: Target, pipeline: Pipeline, table: Table, load: Load) -> None:
        self._target = target
        self._pipeline = pipeline
        self._table = table
        self._name = staging_name(load.load_id, table.name)
        self._stack = ExitStack()
        self._conn: Connection | None = None

    @part("copy")
    def copy(self, batch: pl.DataFrame) -> None:
        """Copy a batch; the first one creates the table, in place of what an earlier attempt has left.

        Raises:
            ConfigurationError: Postgres has no such type, or cannot hold a value.
            RetriableError: The connection was lost.
        """
        with self._stack.pop_all() as stack:
            if self._conn is None:
                self._conn = stack.enter_context(open_connection(self._target.dsn))
                self._create(self._conn, batch)
            self._copy(self._conn, batch)
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Close the connection; what is copied stays."""
        self._conn = None
        self._stack.close()

    def _create(self, conn: Connection, batch: pl.DataFrame) -> None:
        types = column_types(batch.schema)
        is_first = is_first_load(conn, self._pipeline, self._table, types)
        with conn.transaction():
            limit_transaction(conn, statement_timeout_s=self._target.statement_timeout_s)
            create_staging(conn, self._name, types, is_first=is_first)

    def _copy(self, conn: Connection, batch: pl.DataFrame) -> None:
        with conn.transaction():
            limit_transaction(conn, statement_timeout_s=self._target.statement_timeout_s)
            # What a crash of the server may lose is counted before it is published.
            conn.execute(sql.SQL("SET LOCAL synchronous_commit = off"))
            with explain_values(self._table.name):
                copy_batches(conn, qualified(SCHEMA, self._name), batch.columns, [batch])
