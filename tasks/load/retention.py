"""Which loads' raw responses are past their time, by the ledger."""

from dataclasses import dataclass

from tasks.load.connection import Connection


@dataclass(frozen=True)
class Keep:
    """How long raw responses are kept: by age, by number of loads, or for ever.

    What one of the two keeps is kept.
    """

    days: float | None = None
    loads: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is ever deleted."""
        return self.days is None and self.loads is None


def find_expired(conn: Connection, pipeline: str, keep: Keep) -> list[str]:
    """Loads beyond what is to be kept, oldest first: published or given up, never one open or blocked.

    Only published loads count for `keep.loads`; of those given up, the ones go that are older than these.
    """
    if keep.is_everything:
        return []
    rows = conn.execute(
        "SELECT load_id FROM ("
        "  SELECT load_id, status, started_at, count(*) FILTER (WHERE status = 'published') "
        "    OVER (ORDER BY started_at DESC, load_id DESC) AS published_since "
        "  FROM assay.loads WHERE pipeline = %(pipeline)s AND replay_of IS NULL"
        ") ranked "
        "WHERE status IN ('published', 'abandoned') "
        "AND (%(days)s::float8 IS NULL "
        "  OR started_at < clock_timestamp() - make_interval(secs => %(days)s::float8 * 86400)) "
        "AND (%(loads)s::bigint IS NULL OR published_since > %(loads)s::bigint "
        "  OR status = 'abandoned' AND published_since = %(loads)s::bigint) "
        "ORDER BY started_at",
        {"pipeline": pipeline, "days": keep.days, "loads": keep.loads},
    )
    return [str(load_id) for (load_id,) in rows]


def list_pipelines(conn: Connection) -> list[str]:
    """The pipelines that were ever run, by name."""
    rows = conn.execute("SELECT DISTINCT pipeline FROM assay.loads ORDER BY pipeline")
    return [str(name) for (name,) in rows]
