"""The ledger's memory of tables: who writes them, which columns they had, how these changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tasks.errors import ConfigurationError
from tasks.handover import Load, SchemaChange
from tasks.load.connection import Connection
from tasks.pipeline import Pipeline, Table

EXCLUSIVE = {"replace", "scd2"}
"""Dispositions under which a load ends what it does not have: two pipelines would undo each other's."""


@dataclass(frozen=True)
class Known:
    """A table as the ledger knows it: empty for one that no load has written yet."""

    pipeline: str | None = None
    disposition: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


def read_known(conn: Connection, schema: str, table: str) -> Known:
    """Who wrote a table last, and the columns that were brought."""
    row = conn.execute(
        "SELECT pipeline, disposition, columns FROM assay.tables WHERE schema_name = %s AND table_name = %s",
        (schema, table),
    ).fetchone()
    if row is None:
        return Known()
    return Known(str(row[0]), str(row[1]), msgspec.convert(row[2], dict[str, str]))


def refuse_other_writer(pipeline: Pipeline, table: Table, known: Known) -> None:
    """Keep two pipelines from a table that one of them replaces.

    Raises:
        ConfigurationError: Both names.
    """
    if known.pipeline in {None, pipeline.name} or not EXCLUSIVE & {table.disposition, str(known.disposition)}:
        return
    raise ConfigurationError(
        f"{pipeline.target_schema}.{table.name} is written by pipeline {known.pipeline!r} "
        f"({known.disposition}), and {pipeline.name!r} would write it too ({table.disposition}): each would "
        "end the other's rows. Give one of them another table. If the other pipeline is gone, delete the "
        "table's row in assay.tables."
    )


def record_table(
    conn: Connection, pipeline: Pipeline, table: Table, load: Load, columns: Mapping[str, str]
) -> None:
    """Remember the columns that this load brought, in the publishing transaction."""
    conn.execute(
        "INSERT INTO assay.tables AS t VALUES (%s, %s, %s, %s, %s, %s) "
        "ON CONFLICT (schema_name, table_name) DO UPDATE SET pipeline = EXCLUDED.pipeline, "
        "disposition = EXCLUDED.disposition, columns = EXCLUDED.columns, load_id = EXCLUDED.load_id "
        "WHERE (t.pipeline, t.disposition, t.columns) "
        "IS DISTINCT FROM (EXCLUDED.pipeline, EXCLUDED.disposition, EXCLUDED.columns)",
        (
            pipeline.target_schema,
            table.name,
            pipeline.name,
            table.disposition,
            Jsonb(dict(columns)),
            load.load_id,
        ),
    )


def record_changes(conn: Connection, load: Load, schema: str, changes: Sequence[SchemaChange]) -> None:
    """Record changes of columns, in the transaction that makes them."""
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO assay.schema_changes (load_id, attempt_no, pipeline, schema_name, table_name, kind, "
            "column_name, type_before, type_after, statement) VALUES (%(load_id)s, %(attempt_no)s, "
            "%(pipeline)s, %(schema)s, %(table)s, %(kind)s, %(column)s, %(before)s, %(after)s, "
            "%(statement)s)",
            [
                msgspec.structs.asdict(change)
                | {
                    "load_id": load.load_id,
                    "attempt_no": load.attempt_no,
                    "pipeline": load.pipeline,
                    "schema": schema,
                }
                for change in changes
            ],
        )


def read_changes(conn: Connection, load_id: str, attempt_no: int) -> tuple[SchemaChange, ...]:
    """The changes that an attempt made to tables that were there, in order."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            'SELECT table_name AS "table", kind, column_name AS "column", type_before AS before, '
            "type_after AS after, statement FROM assay.schema_changes "
            "WHERE (load_id, attempt_no) = (%s, %s) AND kind <> 'table created' ORDER BY change_id",
            (load_id, attempt_no),
        ).fetchall()
    return msgspec.convert(rows, tuple[SchemaChange, ...])


def record_creation(conn: Connection, load: Load, schema: str, table: str) -> None:
    """Record that a table is new."""
    created = SchemaChange(
        table=table, kind="table created", column=None, before=None, after=None, statement=None
    )
    record_changes(conn, load, schema, [created])
