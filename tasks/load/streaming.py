"""A table's staging, filled batch by batch while the API is still read."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from contextvars import copy_context

import polars as pl
import psycopg
from psycopg import sql

from tasks.handover import Load
from tasks.load.adopting import index_early
from tasks.load.connection import Connection, limit_transaction, open_connection
from tasks.load.ddl import column_types, qualified
from tasks.load.encoding import encode_batch
from tasks.load.load import Target
from tasks.load.staging import (
    SCHEMA,
    copy_encoded,
    create_staging,
    ensure_statistics,
    explain_values,
    is_first_load,
    staging_name,
)
from tasks.pipeline import Pipeline, Table
from tasks.timings import part

PIECE_BYTES = 2**20
"""So much of a batch is sent before the next look at whether the stream has been stopped."""


class StreamStopped(Exception):  # noqa: N818  ends a COPY that nobody waits for, and reaches nobody
    """The stream was stopped while it sent a batch."""


class StagingStream:
    """Copies batches of one table into its staging, on a connection and a thread of its own.

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
        self._sender: ThreadPoolExecutor | None = None
        self._sending: Future[None] | None = None
        self._stopped = threading.Event()
        self._rows = 0
        self._is_first = False

    def copy(self, batch: pl.DataFrame) -> None:
        """Encode a batch while the one before it is sent; then it is sent while the caller goes on.

        The first one creates the table, in place of what an earlier attempt has left. What goes wrong with
        one is raised by the next call.

        Raises:
            ConfigurationError: Postgres has no such type, or cannot hold a value.
            RetriableError: The connection was lost.
        """
        with part("encode"):
            encoded = encode_batch(batch)
        self._wait()
        if self._stopped.is_set():
            return
        self._rows += batch.height
        if self._sender is None:
            self._sender = ThreadPoolExecutor(1, thread_name_prefix="copy")
        # In the caller's context, so that what it takes is counted to its step.
        self._sending = self._sender.submit(copy_context().run, self._send, batch.schema, encoded)

    def check(self) -> None:
        """Raise what went wrong with the last batch, if it is known already; for any thread.

        Raises:
            PipelineError: As `copy`.
        """
        sending = self._sending
        if sending and sending.done():
            sending.result()

    def finish(self) -> None:
        """Wait for the last batch; Postgres indexes and analyzes all of them while the gate judges them.

        Raises:
            PipelineError: As `copy`.
        """
        self._wait()
        if self._sender and self._conn:
            self._sender.submit(self._prepare, self._conn)
            self._sender.shutdown(wait=False)
            self._sender = None

    def stop(self) -> None:
        """End the COPY that is under way, and send nothing more; for any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Stop, and close the connection, unless it is at its end already; what is copied stays."""
        self.stop()
        if self._sender:
            self._sender.shutdown()
            self._sender = None
            self._stack.close()
        self._sending = self._conn = None

    @part("wait for COPY")
    def _wait(self) -> None:
        if self._sending:
            # What has failed stays here, so that nothing is sent after it.
            self._sending.result()
            self._sending = None

    @part("copy")
    def _send(self, schema: pl.Schema, encoded: memoryview) -> None:
        with self._stack.pop_all() as stack:
            if self._conn is None:
                self._conn = stack.enter_context(open_connection(self._target.dsn))
                self._create(self._conn, schema)
            self._copy(self._conn, schema.names(), encoded)
            self._stack = stack.pop_all()

    def _create(self, conn: Connection, schema: pl.Schema) -> None:
        types = column_types(self._table.name, schema)
        self._is_first = is_first_load(conn, self._pipeline, self._table, types)
        with conn.transaction():
            limit_transaction(conn, statement_timeout_s=self._target.statement_timeout_s)
            create_staging(conn, self._name, types, is_first=self._is_first)

    def _copy(self, conn: Connection, columns: list[str], encoded: memoryview) -> None:
        with conn.transaction():
            limit_transaction(conn, statement_timeout_s=self._target.statement_timeout_s)
            # What a crash of the server may lose is counted before it is published.
            conn.execute(sql.SQL("SET LOCAL synchronous_commit = off"))
            with explain_values(self._table.name):
                copy_encoded(conn, qualified(SCHEMA, self._name), columns, self._pieces(encoded))

    def _pieces(self, encoded: memoryview) -> Iterator[memoryview]:
        """A batch in pieces; an error between two of them ends COPY, and Postgres keeps nothing of it."""
        for start in range(0, len(encoded), PIECE_BYTES):
            if self._stopped.is_set():
                raise StreamStopped
            yield encoded[start : start + PIECE_BYTES]

    def _prepare(self, conn: Connection) -> None:
        """Whoever needs the key and the statistics makes sure of them; here they are only made early."""
        timeout_s = self._target.statement_timeout_s
        with self._stack:
            if self._is_first and self._table.primary_key:
                with suppress(psycopg.Error):
                    index_early(conn, self._name, self._table, statement_timeout_s=timeout_s)
            with suppress(psycopg.Error):
                ensure_statistics(conn, self._name, self._table, self._rows, statement_timeout_s=timeout_s)
