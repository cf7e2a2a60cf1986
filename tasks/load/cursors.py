"""Cursors in the publishing transaction: moved only from where the load started, and never back."""

from tasks.cursors import are_comparable, is_later, least
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
        found, published = _cursor_of(pipeline, resource.name, judged), now.get(resource.name)
        joins_on = load.replay_of is None or _joins_on(load.cursors.get(resource.name), found, published)
        if found is not None and joins_on and is_later(found, published):
            conn.execute(
                "INSERT INTO assay.cursors (pipeline, resource, value, load_id) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (pipeline, resource) "
                "DO UPDATE SET value = EXCLUDED.value, load_id = EXCLUDED.load_id",
                (load.pipeline, resource.name, found, load.load_id),
            )


def _joins_on(start: str | None, found: str | None, published: str | None) -> bool:
    """Whether a replay brings what follows on what is published, and not something older or beyond a gap."""
    if start == published or found is None:
        return True
    if published is None or not are_comparable(found, published):
        return False
    return start is None or not is_later(start, published)


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
