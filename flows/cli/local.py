"""Commands that start what assay needs on this machine."""

import os
import sys

from flows.cli.app import app


@app.command
def demo(*, serve: bool = False) -> None:
    """Run the pipeline nyc_flights under Prefect, with a local API, Postgres and Prefect server.

    Args:
        serve: Keep the API and the Prefect UI up afterwards, until Ctrl-C.
    """
    # In place of this process, so that whoever ends it ends the demo.
    words = [sys.executable, "-m", "deployments.local.demo", *(["--serve"] if serve else [])]
    os.execv(sys.executable, words)  # noqa: S606  no shell wanted
