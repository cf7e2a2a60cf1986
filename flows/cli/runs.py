"""Commands that bring data in."""

import os
from typing import Annotated

from cyclopts import Parameter

from flows.cli.app import app, print_last, read_last, show_progress
from tasks.errors import PipelineError, RetriableError


@app.command
def run(
    pipeline: str,
    *,
    full_refresh: bool = False,
    prefect: bool = True,
    quiet: Annotated[bool, Parameter(alias="-q")] = False,
) -> None:
    """Run a pipeline now: extract, transform, validate, load, publish.

    Args:
        pipeline: Name of a pipeline; `assay list` shows them.
        full_refresh: Ask the API for everything, not only for what changed since the cursor.
        prefect: With `--no-prefect` the run needs no Prefect server, shows in no UI and sends no alerts.
        quiet: No progress, only the result.
    """
    from flows.catalog import find_pipeline  # noqa: PLC0415  commands import what they need

    show_progress(quiet=quiet)
    declared = find_pipeline(pipeline)
    before = read_last(declared.name)
    try:
        if prefect:
            _run_under_prefect(pipeline, full_refresh=full_refresh)
        else:
            _run_plainly(declared.name, full_refresh=full_refresh)
    finally:
        print_last(declared.name, unless=before)


def _run_under_prefect(pipeline: str, *, full_refresh: bool) -> None:
    # Prefect's console shows every traceback; the run's page keeps them, the terminal gets our own lines.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    from flows.ingest import ingest  # noqa: PLC0415

    try:
        state = ingest(pipeline, full_refresh=full_refresh, return_state=True)
    except RuntimeError as exc:
        if "Failed to reach API" not in str(exc):
            raise
        raise RetriableError(
            f"The Prefect server is not there: {exc}. Start it (`prefect server start`), correct "
            "PREFECT_API_URL, or run without it: --no-prefect."
        ) from exc
    if state.is_failed():
        raise PipelineError(state.message)


def _run_plainly(pipeline: str, *, full_refresh: bool) -> None:
    from flows.catalog import find_pipeline  # noqa: PLC0415
    from flows.path import follow_path, plain_steps  # noqa: PLC0415
    from flows.run import run_pipeline  # noqa: PLC0415
    from flows.wiring import plain_ports  # noqa: PLC0415

    with plain_steps(threads=8) as steps:
        run_pipeline(
            find_pipeline(pipeline),
            plain_ports(),
            lambda opened: follow_path(opened, steps),
            full_refresh=full_refresh,
        )
