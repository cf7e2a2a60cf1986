"""The command itself: where commands register, where they print, and how each kind of failure ends."""

import logging
import sys
from collections.abc import Callable

from cyclopts import App
from rich.console import Console
from rich.logging import RichHandler

from tasks.errors import ConfigurationError, DataQualityError, PipelineError
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


def read_last(pipeline: str) -> tuple[LoadReport, str] | None:
    """The pipeline's latest attempt and its report's address, None when it cannot be read."""
    from flows.status import read_last as read_from_ledger  # noqa: PLC0415  commands import what they need

    try:
        return read_from_ledger(pipeline)
    except PipelineError:
        return None  # never run, or no database: the run itself says more


def print_last(pipeline: str, *, unless: tuple[LoadReport, str] | None = None, timings: bool = False) -> None:
    """Show the attempt that just ended, if it came as far as the ledger; with its steps' times if wanted."""
    from flows.summary import print_report  # noqa: PLC0415
    from flows.timetable import print_timings  # noqa: PLC0415

    last = read_last(pipeline)
    if last is None or last == unless:
        return
    print_report(out, *last)
    if timings:
        print_timings(out, last[0].timings)


def show_progress(*, quiet: bool = False) -> None:
    """Send the steps' log lines to the terminal."""
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
    sys.exit(exit_code(app))


def exit_code(command: Callable[[], object]) -> int:
    """Run a command, say how it failed if it did, and return what the process is to exit with."""
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
