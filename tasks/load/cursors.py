"""Cursors in the publishing transaction: moved only from where the load started, and never back."""

from tasks.cursors import is_later, least
from tasks.errors import FatalError
from tasks.handover import Load
from tasks.load import ledger
from tasks.load.connection import Connection, fetch_one
from tasks.load.judged import Judged
from tasks.pipeline import Pipeline


def move_cursors(conn: Connection, pipeline: Pipeline, load: Load, judged: Judged) -> None:
    """Compare-and-set: the load is only right on top of the cursors that it started from.

    Raises:
        FatalError: They have moved.
    """
    before = fetch_one(conn, "SELECT cursors_before FROM assay.loads WHERE load_id = %s", load.load_id)[0]
    if before != (now := ledger.read_cursors(conn, load.pipeline)):
        raise FatalError(
            f"{load.load_id} starts from the cursors {before}, the ledger is at {now}: another load was "
            "published meanwhile. Run the pipeline again."
        )
    for resource in pipeline.resources:
        if resource.incremental is None:
            continue
        found = _cursor_of(pipeline, resource.name, judged)
        if found is not None and is_later(found, now.get(resource.name)):
            conn.execute(
                "INSERT INTO assay.cursors (pipeline, resource, value, load_id) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (pipeline, resource) "
                "DO UPDATE SET value = EXCLUDED.value, load_id = EXCLUDED.load_id",
                (load.pipeline, resource.name, found, load.load_id),
            )


def _cursor_of(pipeline: Pipeline, resource: str, judged: Judged) -> str | None:
    """The least of the cursors of the tables that carry it; where no table does, the decoded one.

    A table whose rows were all quarantined holds the cursor back: they are to be asked for again. Not so when
    a person accepted the load without them.
    """
    if judged.accepted_by is not None:
        return judged.extracted[resource].greatest_cursor
    tables = [judged.verdicts[table.name] for table in pipeline.tables if table.resource == resource]
    carrying = [verdict for verdict in tables if verdict.carries_cursor and verdict.transformed]
    if not carrying:
        return judged.extracted[resource].greatest_cursor
    found = [verdict.cursor for verdict in carrying if verdict.cursor is not None]
    return least(found) if len(found) == len(carrying) else None
