"""Reading the ledger for people: the latest attempts."""

from flows.storage import open_store
from tasks.errors import ConfigurationError
from tasks.handover import LoadLine, LoadReport
from tasks.load import history, ledger
from tasks.load.connection import open_connection, resolve_dsn
from tasks.publish.paths import load_page
from tasks.settings import read_settings


def read_status(pipeline: str | None, last: int) -> list[LoadLine]:
    """The latest attempts of one pipeline or of all, newest first."""
    with open_connection(resolve_dsn(read_settings())) as conn:
        ledger.migrate(conn)
        return history.read_lines(conn, pipeline, limit=last)


def read_last(pipeline: str) -> tuple[LoadReport, str]:
    """The latest attempt of a pipeline, and where its report lies.

    Raises:
        ConfigurationError: There was none yet.
    """
    settings = read_settings()
    with open_connection(resolve_dsn(settings)) as conn:
        ledger.migrate(conn)
        lines = history.read_lines(conn, pipeline, limit=1)
        if not lines:
            raise ConfigurationError(f"{pipeline} was never run.")
        report = history.read_report(conn, lines[0].load_id, lines[0].attempt_no)
    return report, open_store(settings).url(load_page(report.load_id, report.attempt_no))
