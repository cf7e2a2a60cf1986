"""Commands that bring data in."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flows.cli.app import app, print_last, read_last, show_progress
from tasks.errors import PipelineError, RetriableError

if TYPE_CHECKING:
    from tasks.pipeline import Pipeline

RunIt = Callable[["Pipeline", dict[str, Any]], None]
"""Makes a run of a pipeline, which is told this."""


@app.command
def run(
    pipeline: str,
    *,
    full_refresh: bool = False,
    prefect: bool = True,
    timings: bool = False,
    quiet: Annotated[bool, Parameter(alias="-q")] = False,
) -> None:
    """Run a pipeline now: extract, transform, validate, load, publish.

    Args:
        pipeline: Name of a pipeline; `assay list` shows them.
        full_refresh: Ask the API for everything, not only for what changed since the cursor.
        prefect: With `--no-prefect` the run needs no Prefect server, shows in no UI and sends no alerts.
        timings: Show where the time went, step by step.
        quiet: No progress, only the result.
    """
    _start(pipeline, prefect=prefect, quiet=quiet, timings=timings, full_refresh=full_refresh)


@app.command
def replay(
    pipeline: str,
    *,
    load: str,
    force: bool = False,
    prefect: bool = True,
    quiet: Annotated[bool, Parameter(alias="-q")] = False,
) -> None:
    """Apply once more what an earlier load has landed, with today's transform and suites, without the API.

    Args:
        pipeline: Name of the pipeline.
        load: The load's id, as `assay status` shows it.
        force: Replay even where older rows could replace newer ones.
        prefect: With `--no-prefect` the run needs no Prefect server, shows in no UI and sends no alerts.
        quiet: No progress, only the result.
    """
    _start(pipeline, prefect=prefect, quiet=quiet, replay=load, force=force)


def _start(pipeline: str, *, prefect: bool, quiet: bool, timings: bool = False, **order: Any) -> None:
    """Run a pipeline and print how it ended; `order` is what the flow is told besides its name."""
    from flows.interpreter import lasting_imports  # noqa: PLC0415  commands import what they need
    from tasks.helper import start_ahead  # noqa: PLC0415
    from tasks.settings import read_settings  # noqa: PLC0415

    # Before the imports below, which take as long: Prefect's above all.
    start_ahead(read_settings().home / "logs" / "helper.log")
    with lasting_imports():
        from flows.catalog import find_pipeline  # noqa: PLC0415

        declared = find_pipeline(pipeline)
        run_it = _import_prefect() if prefect else _import_plain()
    show_progress(quiet=quiet)
    before = read_last(declared.name)
    try:
        run_it(declared, order)
    finally:
        print_last(declared.name, unless=before, timings=timings)


def _import_prefect() -> RunIt:
    # Prefect's console shows every traceback; the run's page keeps them, the terminal gets our own lines.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    from flows.heartbeats import prompt_heartbeats  # noqa: PLC0415
    from flows.ingest import ingest  # noqa: PLC0415

    def run_it(pipeline: "Pipeline", order: dict[str, Any]) -> None:
        try:
            with prompt_heartbeats(ingest) as flow:
                state = flow(pipeline.name, **order, return_state=True)
        except RuntimeError as exc:
            if "Failed to reach API" not in str(exc):
                raise
            raise RetriableError(
                f"The Prefect server is not there: {exc}. Start it (`prefect server start`), correct "
                "PREFECT_API_URL, or run without it: --no-prefect."
            ) from exc
        if state.is_failed():
            raise PipelineError(state.message)

    return run_it


def _import_plain() -> RunIt:
    from flows.path import follow_path, plain_steps  # noqa: PLC0415
    from flows.run import Order, run_pipeline  # noqa: PLC0415
    from flows.wiring import plain_ports  # noqa: PLC0415

    def run_it(pipeline: "Pipeline", asked: dict[str, Any]) -> None:
        with plain_steps(threads=8) as steps:
            run_pipeline(pipeline, plain_ports(), lambda opened: follow_path(opened, steps), Order(**asked))

    return run_it
