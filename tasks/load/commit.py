"""What became of a transaction whose answer to COMMIT was lost."""

import logging
import time

import psycopg

from tasks.errors import FatalError, RetriableError
from tasks.load.connection import Connection, fetch_one, open_connection

log = logging.getLogger(__name__)

POLL_S = 0.2
PATIENCE_S = 90.0
"""A server whose client's network is gone ends the transaction after a minute."""


def was_committed(dsn: str, xid: str, load_id: str) -> bool:
    """Ask until the transaction is over, then look whether the load's publication is there.

    Raises:
        FatalError: The database does not say within a minute and a half.
    """
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with open_connection(dsn) as conn:
                if not _is_in_progress(conn, xid):
                    return _is_published(conn, load_id)
        except RetriableError:
            log.info("%s: waiting for the database, to learn whether the commit held", load_id)
        time.sleep(POLL_S)
    raise FatalError(
        f"{load_id}: the database does not say whether the commit held. "
        "Run the pipeline again: a published load is never applied twice."
    )


def _is_in_progress(conn: Connection, xid: str) -> bool:
    try:
        return fetch_one(conn, "SELECT pg_xact_status(%s::xid8)", xid)[0] == "in progress"
    except psycopg.errors.InvalidParameterValue:
        # "In the future": the server crashed before the transaction left a trace.
        return False


def _is_published(conn: Connection, load_id: str) -> bool:
    query = "SELECT EXISTS (SELECT FROM assay.publications WHERE load_id = %s)"
    return bool(fetch_one(conn, query, load_id)[0])
