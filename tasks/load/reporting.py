"""Reporting tables: queries over merged tables, recomputed for the groups a load touches.

Computed in the publishing transaction and from the merged tables, never from the batch: an increment of a
hundred corrected rows must not overwrite the days they belong to.
"""

import hashlib

from psycopg import sql

from tasks.errors import ConfigurationError
from tasks.load.connection import Connection, fetch_int, fetch_one
from tasks.load.ddl import add_primary_key, identifiers, qualified, read_columns
from tasks.load.merge import Merged, changed_table
from tasks.load.staging import SCHEMA as STAGING
from tasks.load.staging import staging_name
from tasks.pipeline import Report, Table


def note_touched(conn: Connection, schema: str, report: Report, table: Table, load_id: str) -> None:
    """Write down the groups that a merge is about to touch, with their old and their new rows.

    Runs between `find_changed` and `write_changed`: afterwards the old groups of moved rows are gone.
    """
    conn.execute(
        sql.SQL(
            "CREATE TEMP TABLE {touched} ON COMMIT DROP AS "
            "SELECT {new} FROM {changed} JOIN {staging} new USING ({key}) UNION "
            "SELECT {old} FROM {changed} JOIN {target} old USING ({key})"
        ).format(
            touched=_touched(report),
            new=identifiers(report.group_by, "new"),
            old=identifiers(report.group_by, "old"),
            changed=changed_table(table.name),
            staging=qualified(STAGING, staging_name(load_id, table.name)),
            target=qualified(schema, table.name),
            key=identifiers(table.primary_key),
        )
    )


def refresh_report(conn: Connection, schema: str, report: Report, merged: Merged) -> int:
    """Recompute the touched groups, or all when the table or its query is new; returns the rows written.

    Raises:
        ConfigurationError: The query has other columns than the existing table.
    """
    query = report.sql.read_text(encoding="utf-8").rstrip().rstrip(";")
    mark = f"assay report, query sha256 {hashlib.sha256(query.encode()).hexdigest()}"
    existing = read_columns(conn, schema, report.name)
    is_whole = merged.is_first or not existing or _comment(conn, schema, report.name) != mark
    if merged.is_unchanged and not is_whole:
        return 0
    _name_affected(conn, schema, report, is_whole=is_whole)
    conn.execute(sql.SQL("CREATE TEMP TABLE computed ON COMMIT DROP AS {}").format(_trusted(query)))
    if existing:
        written = _replace_groups(conn, schema, report, existing)
    else:
        written = _create_from_computed(conn, schema, report)
    if is_whole:
        conn.execute(
            sql.SQL("COMMENT ON TABLE {} IS {}").format(qualified(schema, report.name), sql.Literal(mark))
        )
    conn.execute("DROP TABLE affected, computed")
    return written


def _touched(report: Report) -> sql.Identifier:
    return sql.Identifier(f"touched_{report.name}"[:63])


def _trusted(query: str) -> sql.SQL:
    # The query is a file of the pipeline, written by the people who declare it: code, not input.
    return sql.SQL(query.replace("{", "{{").replace("}", "}}"))


def _comment(conn: Connection, schema: str, table: str) -> str | None:
    name = sql.Identifier(schema, table).as_string(conn)
    comment = fetch_one(conn, "SELECT obj_description(to_regclass(%s), 'pg_class')", name)[0]
    return None if comment is None else str(comment)


def _name_affected(conn: Connection, schema: str, report: Report, *, is_whole: bool) -> None:
    source = qualified(schema, report.table) if is_whole else _touched(report)
    conn.execute(
        sql.SQL("CREATE TEMP TABLE affected ON COMMIT DROP AS SELECT DISTINCT {} FROM {}").format(
            identifiers(report.group_by), source
        )
    )
    conn.execute("ANALYZE affected")


def _create_from_computed(conn: Connection, schema: str, report: Report) -> int:
    conn.execute(sql.SQL("CREATE TABLE {} AS SELECT * FROM computed").format(qualified(schema, report.name)))
    add_primary_key(conn, schema, report.name, report.group_by)
    return fetch_int(conn, "SELECT count(*) FROM computed")


def _replace_groups(conn: Connection, schema: str, report: Report, existing: dict[str, str]) -> int:
    computed = _temporary_columns(conn, "computed")
    if computed != existing:
        raise ConfigurationError(
            f"{schema}.{report.name} has other columns than its query: {_difference(existing, computed)}. "
            f'To have it rebuilt by the next load: DROP TABLE "{schema}"."{report.name}"'
        )
    target = qualified(schema, report.name)
    gone = conn.execute(
        sql.SQL(
            "DELETE FROM {target} t USING affected a WHERE {same} "
            "AND NOT EXISTS (SELECT FROM computed c WHERE {kept})"
        ).format(target=target, same=_same_group(report, "t", "a"), kept=_same_group(report, "t", "c"))
    ).rowcount
    values = [name for name in computed if name not in report.group_by]
    written = conn.execute(
        sql.SQL(
            "INSERT INTO {target} ({columns}) SELECT {new} FROM computed c LEFT JOIN {target} t ON {same} "
            "WHERE t.{first} IS NULL OR ROW({old_values}) IS DISTINCT FROM ROW({new_values}) "
            "ON CONFLICT ({key}) DO UPDATE SET {updates}"
        ).format(
            target=target,
            columns=identifiers(list(computed)),
            new=identifiers(list(computed), "c"),
            same=_same_group(report, "t", "c"),
            first=sql.Identifier(report.group_by[0]),
            old_values=identifiers(values, "t"),
            new_values=identifiers(values, "c"),
            key=identifiers(report.group_by),
            updates=sql.SQL(", ").join(
                sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in values
            ),
        )
    ).rowcount
    return gone + written


def _temporary_columns(conn: Connection, table: str) -> dict[str, str]:
    return read_columns(conn, "pg_temp", table)


def _same_group(report: Report, left: str, right: str) -> sql.Composed:
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, name), sql.Identifier(right, name))
        for name in report.group_by
    )


def _difference(existing: dict[str, str], computed: dict[str, str]) -> str:
    names = [name for name in {**existing, **computed} if existing.get(name) != computed.get(name)]
    changes = (
        f"{n}: {existing.get(n, 'absent')} there, {computed.get(n, 'absent')} in the query" for n in names
    )
    return "; ".join(changes)
