"""Quarantine: rows kept out of the tables, with their reasons, in the ledger."""

import hashlib
from typing import Any
from uuid import UUID

import msgspec
import polars as pl
from psycopg import sql
from psycopg.types.json import Jsonb

from tasks.errors import RetriableError
from tasks.handover import Extracted, Load, TableVerdict
from tasks.load.connection import Connection, fetch_int, fetch_one, named_query
from tasks.load.ddl import comma, qualified
from tasks.load.jsonb import storable_json, storable_json_text, storable_text
from tasks.load.judged import Release
from tasks.load.staging import SCHEMA as STAGING
from tasks.load.staging import staging_name
from tasks.pipeline import Table


def keep_quarantined(
    conn: Connection, schema: str, load: Load, table: Table, verdict: TableVerdict, extracted: Extracted
) -> int:
    """Record a table's quarantined rows and rejected records; returns how many are new there.

    A row that is in quarantine already, unchanged, stays one entry and is marked as seen again.
    """
    rows = [*_quarantined(table, verdict), *_rejected(extracted)]
    if not rows:
        return 0
    query = named_query("keep_quarantined").format(
        key=_key_object(conn, table, "typed"), target=qualified(schema, table.name)
    )
    count = "SELECT count(*) FROM assay.quarantine WHERE pipeline = %s AND table_name = %s"
    before = fetch_int(conn, count, load.pipeline, table.name)
    common = {"pipeline": load.pipeline, "table": table.name, "load_id": load.load_id}
    with conn.cursor() as cursor:
        cursor.executemany(query, [common | row for row in rows])
    return fetch_int(conn, count, load.pipeline, table.name) - before


def close_replaced(conn: Connection, schema: str, load: Load, table: Table) -> int:
    """Close the entries whose key this load brings a good row for; returns how many.

    A new table may have taken its staging's place by now: it holds the same rows then.
    """
    if not table.primary_key:
        return 0
    open_entries = "pipeline = %s AND table_name = %s AND closed_at IS NULL"
    if not fetch_one(
        conn,
        sql.SQL("SELECT EXISTS (SELECT FROM assay.quarantine WHERE {})").format(sql.SQL(open_entries)),
        load.pipeline,
        table.name,
    )[0]:
        return 0
    staging = qualified(STAGING, staging_name(load.load_id, table.name))
    is_adopted = fetch_one(conn, "SELECT to_regclass(%s) IS NULL", staging.as_string(conn))[0]
    return conn.execute(
        sql.SQL(
            "UPDATE assay.quarantine SET closed_at = clock_timestamp(), closed_by = %s "
            "WHERE {open} AND key IN (SELECT {key} FROM {staging} staged)"
        ).format(
            open=sql.SQL(open_entries),
            key=_key_object(conn, table, "staged"),
            staging=qualified(schema, table.name) if is_adopted else staging,
        ),
        (load.load_id, load.pipeline, table.name),
    ).rowcount


def close_released(conn: Connection, load: Load, release: Release) -> None:
    """Close the entries whose rows this load brings by a person's decision.

    Raises:
        RetriableError: One of them was closed meanwhile.
    """
    closed = conn.execute(
        "UPDATE assay.quarantine SET closed_at = clock_timestamp(), closed_by = %s, close_reason = %s "
        "WHERE quarantine_id = ANY (%s) AND closed_at IS NULL",
        (load.load_id, release.reason, list(release.numbers)),
    ).rowcount
    if closed != len(release.numbers):
        raise RetriableError(
            f"{load.load_id}: of {len(release.numbers)} entries {closed} were still open; somebody else "
            "decided meanwhile. Nothing is published; see `assay quarantine list`."
        )


def close_gone(conn: Connection, load: Load, table: Table) -> int:
    """Close the entries of a replaced table that this load does not have any more; returns how many.

    Call it after `keep_quarantined`, which marks those that it has.
    """
    if table.disposition != "replace":
        return 0
    return conn.execute(
        "UPDATE assay.quarantine SET closed_at = clock_timestamp(), closed_by = %s "
        "WHERE pipeline = %s AND table_name = %s AND closed_at IS NULL AND last_load_id <> %s",
        (load.load_id, load.pipeline, table.name, load.load_id),
    ).rowcount


def _key_object(conn: Connection, table: Table, alias: str) -> sql.SQL:
    """The key as JSON, for a query with parameters: a `%` in a column's name is none."""
    pairs = [
        sql.SQL("{}, {}").format(sql.Literal(name), sql.Identifier(alias, name)) for name in table.primary_key
    ]
    key = sql.SQL("jsonb_build_object({})").format(comma(pairs))
    return sql.SQL(key.as_string(conn).replace("%", "%%"))


def _quarantined(table: Table, verdict: TableVerdict) -> list[dict[str, object]]:
    if verdict.quarantine is None:
        return []
    return [
        {
            "key": row["key"] and storable_key(table, row["key"]),
            "row": storable_json_text(row["row"]),
            "sha256": row["row_sha256"],
            "reasons": [storable_text(reason) for reason in row["reasons"]],
        }
        for row in pl.read_parquet(verdict.quarantine).iter_rows(named=True)
    ]


def storable_key(table: Table, text: str) -> Jsonb | None:
    """A key as the table's types read it; None when a value is no UUID, and so no key of the table's."""
    declared = [name for name in table.primary_key if table.types.get(name) == "uuid"]
    if not declared:
        return storable_json_text(text)
    key = msgspec.json.decode(text, type=dict[str, Any])
    try:
        return storable_json(key | {name: key[name] and str(UUID(key[name])) for name in declared})
    except ValueError:
        return None


def _rejected(extracted: Extracted) -> list[dict[str, object]]:
    if extracted.rejected is None:
        return []
    return [_rejected_record(row) for row in pl.read_parquet(extracted.rejected).iter_rows(named=True)]


def _rejected_record(row: dict[str, object]) -> dict[str, object]:
    # A record that is not JSON, or holds what JSONB cannot, is kept as text inside JSON.
    text = storable_text(str(row["record"]))
    return {
        "key": None,
        "row": storable_json({"record": text}),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "reasons": [storable_text(f"{row['path']}: {row['message']}")],
    }
