"""Full refreshes by declaration: when one is due, and that it deletes what the API has no more."""

import datetime as dt

from tasks.handover import Load
from tasks.load.connection import Connection, fetch_one
from tasks.pipeline import Pipeline, Table

_LATEST_FULL = """
SELECT clock_timestamp() - max(l.started_at)
FROM assay.loads AS l JOIN assay.publications USING (load_id)
WHERE l.pipeline = %s AND l.replay_of IS NULL AND (l.full_refresh OR l.cursors_before = '{}')
"""


def is_refresh_due(conn: Connection, pipeline: Pipeline) -> bool:
    """Whether everything is to be asked for again: the last time was published too long ago, or never."""
    intervals = [
        resource.incremental.full_refresh_every
        for resource in pipeline.resources
        if resource.incremental is not None and resource.incremental.full_refresh_every is not None
    ]
    if not intervals:
        return False
    (age,) = fetch_one(conn, _LATEST_FULL, pipeline.name)
    return not isinstance(age, dt.timedelta) or age >= min(intervals)


def as_refreshed(pipeline: Pipeline, table: Table, load: Load) -> Table:
    """The table as this load is applied to it.

    A load that asked for everything, of a resource that is refreshed in full because its API deletes
    without a trace, replaces by difference what it else merges. Tombstones tell of deletions themselves.
    """
    incremental = pipeline.resource(table.resource).incremental
    is_declared = incremental is not None and incremental.full_refresh_every is not None
    is_full = load.replay_of is None and load.cursors.get(table.resource) is None
    if not (is_declared and is_full and table.disposition == "merge" and table.tombstone is None):
        return table
    return table.model_copy(update={"disposition": "replace"})
