"""The command `assay`."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.logging import RichHandler

from tasks.errors import ConfigurationError, DataQualityError, PipelineError, RetriableError
from tasks.handover import LoadReport

app = App(
    name="assay",
    help="Third-party API data into Postgres; nothing reaches the tables before it has been tested.",
    version_flags=["--version"],
)
# In a pipe or a log there is no width to fit into.
WIDTH = None if sys.stdout.isatty() else 140
out = Console(highlight=False, width=WIDTH)
err = Console(stderr=True, highlight=False, width=WIDTH)


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

    _show_progress(quiet=quiet)
    declared = find_pipeline(pipeline)
    before = _read_last(declared.name)
    try:
        if prefect:
            _run_under_prefect(pipeline, full_refresh=full_refresh)
        else:
            _run_plainly(declared.name, full_refresh=full_refresh)
    finally:
        _print_last(declared.name, unless=before)


@app.command(name="list")
def list_pipelines() -> None:
    """List the pipelines, their tables and where they read from."""
    from flows.catalog import find_pipeline, pipeline_names  # noqa: PLC0415

    for name in pipeline_names():
        pipeline = find_pipeline(name)
        out.print(f"[bold]{name}[/]  {pipeline.description}")
        out.print(f"  from {pipeline.source.base_url} into {', '.join(t.name for t in pipeline.tables)}")


@app.command
def status(pipeline: str | None = None, *, last: int = 10) -> None:
    """Show the latest loads, newest first, and why the last one went wrong if it did.

    Args:
        pipeline: Only this pipeline.
        last: How many.
    """
    from flows.catalog import find_pipeline  # noqa: PLC0415
    from flows.status import read_status  # noqa: PLC0415
    from flows.summary import print_lines  # noqa: PLC0415

    lines = read_status(find_pipeline(pipeline).name if pipeline else None, last)
    if lines:
        print_lines(out, lines)
    else:
        out.print(
            "Nothing was loaded yet. `assay demo` shows how it goes; `assay list` what there is to run."
        )


@app.command
def accept(load: str, *, reason: str) -> None:
    """Publish a blocked load as it is, by your decision, which is recorded with your name.

    Args:
        load: The load's id, as `assay status` shows it.
        reason: Why it is right to publish it.
    """
    from flows.catalog import find_pipeline  # noqa: PLC0415
    from flows.run import accept as accept_load  # noqa: PLC0415
    from flows.wiring import person_ports  # noqa: PLC0415

    _show_progress(quiet=False)
    report = accept_load(find_pipeline, load, reason, person_ports())
    _print_last(report.pipeline)


@app.command
def check(file: Path, *, suite: str, json: bool = False) -> int:
    """Validate a Parquet, CSV or NDJSON file against a suite; exits 1 when an expectation fails.

    Args:
        file: The file.
        suite: Name of a suite in expectations/suites, or a suite's own .json file.
        json: Print the whole result as JSON, for machines.
    """
    import msgspec  # noqa: PLC0415

    from flows.summary import print_outcomes  # noqa: PLC0415
    from tasks.validate.check import check_file  # noqa: PLC0415

    checked = check_file(file, suite)
    if json:
        sys.stdout.write(msgspec.json.encode(checked).decode() + "\n")
    else:
        print_outcomes(out, checked.outcomes)
        verdict = "[green]passed[/]" if checked.success else "[red]failed[/]"
        skipped = f", {checked.skipped} about merged tables skipped" if checked.skipped else ""
        out.print(f"{checked.rows:,} rows, suite {checked.suite}: {verdict}{skipped}")
    return 0 if checked.success else 1


@app.command
def demo(*, serve: bool = False) -> None:
    """Run the pipeline nyc_flights under Prefect, with a local API, Postgres and Prefect server.

    Args:
        serve: Keep the API and the Prefect UI up afterwards, until Ctrl-C.
    """
    # In place of this process, so that whoever ends it ends the demo.
    words = [sys.executable, "-m", "deployments.local.demo", *(["--serve"] if serve else [])]
    os.execv(sys.executable, words)  # noqa: S606  no shell wanted


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


def _read_last(pipeline: str) -> tuple[LoadReport, str] | None:
    from flows.status import read_last  # noqa: PLC0415

    try:
        return read_last(pipeline)
    except PipelineError:
        return None  # never run, or no database: the run itself says more


def _print_last(pipeline: str, *, unless: tuple[LoadReport, str] | None = None) -> None:
    """Show the attempt that just ended, if it came as far as the ledger."""
    from flows.summary import print_report  # noqa: PLC0415

    last = _read_last(pipeline)
    if last is not None and last != unless:
        print_report(out, *last)


def _show_progress(*, quiet: bool) -> None:
    handler = RichHandler(console=err, show_path=False, show_level=False, markup=False, log_time_format="%X")
    handler.setLevel(logging.WARNING if quiet else logging.INFO)
    # What a run ends with is printed at its end, by `main`.
    handler.addFilter(lambda record: record.name != "flows.ingest")
    for name in ("tasks", "flows"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)


def main() -> None:
    """Entry point: a person's mistake is one message and an exit code, not a stack trace.

    Exit codes: 0 done; 1 failed, or the data did; 2 a wrong command line or declaration; 130 interrupted.
    """
    sys.exit(_exit_code(app))


def _exit_code(command: Callable[[], object]) -> int:
    try:
        result = command()
    except DataQualityError as exc:
        err.print(f"[red]blocked[/] {exc}", soft_wrap=True, markup=True)
        return 1
    except ConfigurationError as exc:
        err.print(f"[red]error[/] {exc}", soft_wrap=True)
        return 2
    except PipelineError as exc:
        err.print(f"[red]failed[/] {exc}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        err.print("interrupted")
        return 130
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    main()
