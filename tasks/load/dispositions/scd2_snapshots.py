"""SCD2 without versions of the source: a row is valid from the load that first saw it so.

`valid_from` is when that load's attempt began, by the database's clock; `valid_to` when the load began that
saw it otherwise, or no more. A load of all there is ends what is absent; an increment does not.
"""

from psycopg import sql

from tasks.errors import RetriableError
from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection, fetch_one
from tasks.load.diff import refuse_interference
from tasks.load.dispositions.keyed import count_changes, note_absent, note_changed, relations, select_touched
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
    note_changed(conn, batch, validity(), same_row="{same_key} AND old.{end} IS NULL")
    absent, withheld = note_absent(conn, batch, is_current=_IS_CURRENT) if batch.is_whole else (0, 0)
    changes = count_changes(conn, batch, absent=absent, withheld=withheld)
    _refuse_earlier(conn, batch)
    return changes


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
        **relations(batch),
        **validity(),
        "now": sql.Literal(batch.loaded_at),
    }
