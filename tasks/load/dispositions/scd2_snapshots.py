"""SCD2 without versions of the source: a row is valid from the load that first saw it so.

`valid_from` is when that load's attempt began, by the database's clock; `valid_to` when the load began that
saw it otherwise, or no more. A load of all there is ends what is absent; an increment does not.
"""

from collections.abc import Sequence

from psycopg import sql

from tasks.errors import RetriableError
from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection, fetch_one
from tasks.load.ddl import identifiers
from tasks.load.diff import differing_values, refuse_interference, same_values
from tasks.load.dispositions.keyed import ACTION, DELETE, INSERT, UPDATE, count_changes, note_absent
from tasks.load.dispositions.validity import delete_rows, key_versions, validity

__all__ = ["delete_rows", "fill_new", "find_changes", "select_touched", "write_rows"]

_IS_CURRENT = sql.SQL("old.{} IS NULL").format(validity()["end"])


def fill_new(conn: Connection, batch: Batch) -> Changes:
    """Insert the first versions."""
    inserted = conn.execute(
        batch.fill(
            "INSERT INTO {target} ({columns}, {validity}) SELECT {new_columns}, {now}, NULL "
            "FROM {staging} new WHERE NOT {is_dead}",
            **_relations(batch),
        )
    ).rowcount
    key_versions(conn, batch)
    return Changes(inserted=inserted, unchanged=batch.staged - inserted, is_first=True)


def find_changes(conn: Connection, batch: Batch) -> Changes:
    """Note the keys that are new, whose current version differs, and that are gone."""
    conn.execute(
        batch.fill(
            "CREATE TEMP TABLE {changed} ON COMMIT DROP AS SELECT {new_key}, "
            "CASE WHEN {is_dead} THEN {delete} WHEN old.{first_key} IS NULL THEN {insert} ELSE {update} END "
            "AS {action} FROM {staging} new LEFT JOIN {target} old ON {same_key} AND old.{end} IS NULL "
            "WHERE CASE WHEN old.{first_key} IS NULL THEN NOT {is_dead} ELSE {is_dead} OR {differs} END",
            **_relations(batch),
            differs=differing_values(batch.values, "new", "old"),
        )
    )
    absent, withheld = note_absent(conn, batch, is_current=_IS_CURRENT) if batch.is_whole else (0, 0)
    changes = count_changes(conn, batch, absent=absent, withheld=withheld)
    _refuse_earlier(conn, batch)
    return changes


def select_touched(batch: Batch, columns: Sequence[str]) -> sql.Composed:
    """These columns of all versions of the changed keys, and of the staged ones."""
    return batch.fill(
        "SELECT {new} FROM {changed} JOIN {staging} new USING ({key}) WHERE {action} <> {delete} UNION "
        "SELECT {old} FROM {changed} JOIN {target} old USING ({key})",
        **_relations(batch),
        new=identifiers(columns, "new"),
        old=identifiers(columns, "old"),
    )


def write_rows(conn: Connection, batch: Batch, changes: Changes) -> None:
    """End the current versions, then begin the new ones."""
    if changes.updated or changes.deleted:
        ended = conn.execute(
            batch.fill(
                "UPDATE {target} old SET {end} = {now} FROM {changed} new "
                "WHERE {action} <> {insert} AND {same_key} AND old.{end} IS NULL",
                **_relations(batch),
            )
        ).rowcount
        refuse_interference(batch, "ended", ended, changes.updated + changes.deleted)
    if changes.inserted or changes.updated:
        begun = conn.execute(
            batch.fill(
                "INSERT INTO {target} ({columns}, {validity}) SELECT {new_columns}, {now}, NULL "
                "FROM {changed} JOIN {staging} new USING ({key}) WHERE {action} <> {delete}",
                **_relations(batch),
            )
        ).rowcount
        refuse_interference(batch, "begun", begun, changes.inserted + changes.updated)


def _refuse_earlier(conn: Connection, batch: Batch) -> None:
    """A version must not end before it began, should the database's clock have been put back."""
    query = batch.fill(
        "SELECT EXISTS (SELECT FROM {changed} new JOIN {target} old ON {same_key} "
        "WHERE old.{begin} >= {now} OR old.{end} > {now})",
        **_relations(batch),
    )
    if fetch_one(conn, query)[0]:
        raise RetriableError(
            f"{batch.table.name}: there are versions that are valid from later than {batch.loaded_at}, when "
            "this load began. Was the database's clock put back? Run the pipeline again."
        )


def _relations(batch: Batch) -> dict[str, sql.Composable]:
    return {
        **validity(),
        "now": sql.Literal(batch.loaded_at),
        "new_key": identifiers(batch.key, "new"),
        "first_key": sql.Identifier(batch.key[0]),
        "same_key": same_values(batch.key, "new", "old"),
        "action": ACTION,
        "insert": INSERT,
        "update": UPDATE,
        "delete": DELETE,
    }
