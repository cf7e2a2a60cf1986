"""SCD2 by the source's own versions: `valid_from` is `version_by`, `valid_to` the next version's.

The table is a function of the set of versions that ever came, not of the order in which they came: a late
version takes its place between its neighbours, and one that comes again with other values is corrected. A
tombstone is kept as a version that ends when it begins, which is valid at no time, so that an older version
that comes after it does not come alive.
"""

from psycopg import sql

from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection
from tasks.load.ddl import identifiers
from tasks.load.diff import refuse_interference, same_values
from tasks.load.dispositions.keyed import assign, count_changes, note_changed, relations, select_touched
from tasks.load.dispositions.validity import delete_rows, key_versions, validity

__all__ = ["delete_rows", "fill_new", "find_changes", "select_touched", "write_rows"]

IS_DEAD = sql.Identifier("assay: is dead")
WAS = sql.Identifier("assay: was")


def fill_new(conn: Connection, batch: Batch) -> Changes:
    """Insert the first versions, each until the next."""
    inserted = conn.execute(
        batch.fill(
            "INSERT INTO {target} ({columns}, {validity}) SELECT {new_columns}, new.{version}, "
            "CASE WHEN {is_dead} THEN new.{version} ELSE "
            "lead(new.{version}) OVER (PARTITION BY {new_key} ORDER BY new.{version}) END FROM {staging} new",
            **_relations(batch),
        )
    ).rowcount
    key_versions(conn, batch)
    return Changes(inserted=inserted, unchanged=batch.staged - inserted, is_first=True)


def find_changes(conn: Connection, batch: Batch) -> Changes:
    """Note the versions that are new and that come with other values; then where each version ends."""
    note_changed(
        conn,
        batch,
        _relations(batch),
        more_columns=(
            "new.{version} AS {begin}, {is_dead} AS {dead}, old.{first_key} IS NOT NULL AS {is_known}, "
        ),
        same_row="{same_key} AND old.{begin} = new.{version}",
        condition="old.{first_key} IS NULL OR {is_dead} <> {was_dead} OR (NOT {is_dead} AND {differs})",
    )
    changes = count_changes(conn, batch)
    if not changes.is_nothing:
        _note_ends(conn, batch)
    return changes


def write_rows(conn: Connection, batch: Batch, changes: Changes) -> None:
    """End versions where others begin, correct those that came again, then insert the new ones.

    In this order, since one version of a key at most may be current at any moment.
    """
    if changes.is_nothing:
        return
    conn.execute(
        batch.fill(
            "UPDATE {target} old SET {end} = new.{end} FROM {ends} new "
            "WHERE NOT new.{is_changed} AND {same_key} AND old.{begin} = new.{begin}",
            **_relations(batch),
        )
    )
    corrected = conn.execute(
        batch.fill(
            "UPDATE {target} old SET {assignments}, {end} = ends.{end} FROM {changed} c, {ends} ends, "
            "{staging} new WHERE c.{is_known} AND {same_changed} AND new.{version} = c.{begin} "
            "AND {same_ends} AND ends.{begin} = c.{begin} AND {same_key} AND old.{begin} = c.{begin}",
            **_relations(batch),
            assignments=assign(batch.values),
        )
    ).rowcount
    inserted = conn.execute(
        batch.fill(
            "INSERT INTO {target} ({columns}, {validity}) SELECT {new_columns}, c.{begin}, ends.{end} "
            "FROM {changed} c, {ends} ends, {staging} new WHERE NOT c.{is_known} AND {same_changed} "
            "AND new.{version} = c.{begin} AND {same_ends} AND ends.{begin} = c.{begin}",
            **_relations(batch),
        )
    ).rowcount
    written = changes.inserted + changes.updated + changes.deleted
    refuse_interference(batch, "written", corrected + inserted, written)


def _note_ends(conn: Connection, batch: Batch) -> None:
    """All versions of the changed keys with their ends; of those that do not change, the ones that move."""
    conn.execute(
        batch.fill(
            "CREATE TEMP TABLE {ends} ON COMMIT DROP AS SELECT {key}, {begin}, {is_changed}, {end} FROM ("
            "SELECT {key}, {begin}, {is_changed}, {was}, CASE WHEN {dead} THEN {begin} "
            "ELSE lead({begin}) OVER (PARTITION BY {key} ORDER BY {begin}) END AS {end} FROM ("
            "SELECT {key}, {begin}, {dead}, true AS {is_changed}, NULL AS {was} FROM {changed} UNION ALL "
            "SELECT {old_key}, old.{begin}, {was_dead}, false, old.{end} FROM {target} old "
            "WHERE ({old_key}) IN (SELECT {key} FROM {changed}) AND NOT EXISTS "
            "(SELECT FROM {changed} new WHERE {same_key} AND new.{begin} = old.{begin})"
            ") versions) ended WHERE {is_changed} OR {end} IS DISTINCT FROM {was}",
            **_relations(batch),
            old_key=identifiers(batch.key, "old"),
        )
    )
    conn.execute(batch.fill("ANALYZE {ends}", **_relations(batch)))


def _relations(batch: Batch) -> dict[str, sql.Composable]:
    assert batch.table.version_by is not None
    names = validity()
    return {
        **relations(batch),
        **names,
        "version": sql.Identifier(batch.table.version_by),
        "ends": sql.Identifier(f"ends_{batch.table.name}"),
        "same_changed": same_values(batch.key, "new", "c"),
        "same_ends": same_values(batch.key, "new", "ends"),
        "was_dead": sql.SQL("coalesce(old.{end} = old.{begin}, false)").format(**names),
        "dead": IS_DEAD,
        "was": WAS,
        "is_known": sql.Identifier("assay: is known"),
        "is_changed": sql.Identifier("assay: is changed"),
    }
