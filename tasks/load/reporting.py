"""Reporting tables: queries over merged tables, recomputed for the groups a load touches.

Computed in the publishing transaction and from the merged tables, never from the batch: an increment of a
hundred corrected rows must not overwrite the days they belong to.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tasks.errors import ConfigurationError
from tasks.load.batch import Changes
from tasks.load.connection import Connection, fetch_int, fetch_one, first_line
from tasks.load.ddl import add_primary_key, identifiers, qualified, read_columns, read_key
from tasks.load.diff import differing_values, on_conflict, same_values
from tasks.pipeline import Report


def note_touched(conn: Connection, report: Report, touched: sql.Composable) -> None:
    """Write down the groups that a load is about to touch, with their old and their new rows.

    Runs before the rows are written: afterwards the old groups of moved rows are gone.
    """
    conn.execute(sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS {}").format(_touched(report), touched))


def refresh_report(
    conn: Connection, schema: str, report: Report, changes: Changes, *, is_kept_up: bool
) -> int:
    """Recompute the touched groups; returns the rows written.

    All groups are recomputed when the table or its query is new, or when the loads before did not keep it
    up (`is_kept_up`): the report was not declared then.

    Raises:
        ConfigurationError: The query fails, or does not fit the existing table.
    """
    query = report.sql.read_text(encoding="utf-8").rstrip().rstrip(";")
    mark = f"assay report, query sha256 {hashlib.sha256(query.encode()).hexdigest()}"
    existing = read_columns(conn, schema, report.name)
    is_known = bool(existing) and is_kept_up and _comment(conn, schema, report.name) == mark
    is_whole = changes.is_first or not is_known
    if changes.is_nothing and not is_whole:
        return 0
    _name_affected(conn, schema, report, is_whole=is_whole)
    with _blaming_query(report):
        conn.execute(sql.SQL("CREATE TEMP TABLE computed ON COMMIT DROP AS {}").format(sql.SQL(query)))
        add_primary_key(conn, "pg_temp", "computed", report.group_by)
        if existing:
            _refuse_other_shape(conn, schema, report, existing)
            written = _replace_groups(conn, schema, report, is_whole=is_whole)
        else:
            written = _create_from_computed(conn, schema, report)
    if is_whole:
        conn.execute(
            sql.SQL("COMMENT ON TABLE {} IS {}").format(qualified(schema, report.name), sql.Literal(mark))
        )
    conn.execute("DROP TABLE affected, computed")
    return written


def _touched(report: Report) -> sql.Identifier:
    return sql.Identifier(f"touched_{report.name}")


@contextmanager
def _blaming_query(report: Report) -> Iterator[None]:
    try:
        yield
    except (psycopg.ProgrammingError, psycopg.DataError, psycopg.IntegrityError) as exc:
        raise ConfigurationError(
            f"Report {report.name}: {report.sql.name} fails: {first_line(exc)}. Correct the query; it must "
            f"give one row a group, with {', '.join(report.group_by)} never null."
        ) from exc


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


def _replace_groups(conn: Connection, schema: str, report: Report, *, is_whole: bool) -> int:
    """Delete the groups that are no more, of the affected ones or of all; write those that differ."""
    target = qualified(schema, report.name)
    columns = list(read_columns(conn, "pg_temp", "computed"))
    values = [name for name in columns if name not in report.group_by]
    is_affected = sql.SQL("EXISTS (SELECT FROM affected a WHERE {})").format(
        same_values(report.group_by, "t", "a")
    )
    gone = conn.execute(
        sql.SQL(
            "DELETE FROM {target} t WHERE {in_scope} AND NOT EXISTS (SELECT FROM computed c WHERE {kept})"
        ).format(
            target=target,
            in_scope=sql.SQL("true") if is_whole else is_affected,
            kept=same_values(report.group_by, "t", "c"),
        )
    ).rowcount
    written = conn.execute(
        sql.SQL(
            "INSERT INTO {target} ({columns}) SELECT {new} FROM computed c LEFT JOIN {target} t ON {same} "
            "WHERE t.{first} IS NULL OR {differs} {upsert}"
        ).format(
            target=target,
            columns=identifiers(columns),
            new=identifiers(columns, "c"),
            same=same_values(report.group_by, "t", "c"),
            first=sql.Identifier(report.group_by[0]),
            differs=differing_values(values, "t", "c"),
            upsert=on_conflict(report.group_by, values),
        )
    ).rowcount
    return gone + written


def _refuse_other_shape(conn: Connection, schema: str, report: Report, existing: Mapping[str, str]) -> None:
    differences = _differing_columns(existing, read_columns(conn, "pg_temp", "computed"))
    key, groups = read_key(conn, schema, report.name), sorted(report.group_by)
    if key != groups:
        differences.append(f"its key is {key}, group_by says {groups}")
    if differences:
        raise ConfigurationError(
            f"{schema}.{report.name} does not fit its query: {'; '.join(differences)}. "
            f'To have it rebuilt by the next load: DROP TABLE "{schema}"."{report.name}"'
        )


def _differing_columns(existing: Mapping[str, str], computed: Mapping[str, str]) -> list[str]:
    return [
        f"column {name} is {existing.get(name, 'absent')} there, {computed.get(name, 'absent')} in the query"
        for name in {**existing, **computed}
        if existing.get(name) != computed.get(name)
    ]
