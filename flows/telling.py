"""Telling people how an attempt ended, whatever became of it."""

import datetime as dt
import logging

from flows.ports import Ports
from tasks.errors import PipelineError
from tasks.handover import Load, LoadReport
from tasks.load import history, ledger
from tasks.load.connection import open_connection
from tasks.load.load import Target, record_failure
from tasks.pipeline import Pipeline
from tasks.ports import Helper
from tasks.publish.events import events_of
from tasks.timings import recorded_spans

log = logging.getLogger(__name__)


def tell(target: Target, load_id: str, attempt_no: int, ports: Ports, helper: Helper) -> LoadReport:
    """Tell people of an attempt, and note that they know."""
    with open_connection(target.dsn) as conn:
        history.record_timings(conn, load_id, attempt_no, recorded_spans(load_id, attempt_no))
        report = history.read_report(conn, load_id, attempt_no)
        lines = history.read_lines(conn)
    ports.publish(report, lines, ports.audience, helper)
    with open_connection(target.dsn) as conn:
        ledger.mark_told(conn, load_id, attempt_no)
        history.record_timings(conn, load_id, attempt_no, recorded_spans(load_id, attempt_no))
    return report


def tell_unopened(pipeline: Pipeline, ports: Ports, failure: PipelineError) -> None:
    """Without a ledger there is no report to publish, but there is somebody to tell."""
    now = dt.datetime.now(dt.UTC)
    report = LoadReport(
        pipeline=pipeline.name,
        load_id="none",
        attempt_no=0,
        status="failed",
        started_at=now,
        ended_at=now,
        error=str(failure),
        run_url=ports.run_url,
    )
    for event in events_of(report, {}):
        ports.audience.emit(event)


def record_and_tell_failure(
    target: Target, load: Load, ports: Ports, helper: Helper, failure: BaseException
) -> None:
    """Keep the first failure the one that is raised, whatever else fails while it is told."""
    name = "Interrupted" if isinstance(failure, KeyboardInterrupt) else type(failure).__name__
    message = str(failure) if isinstance(failure, PipelineError) else f"{name}: {failure}".rstrip(": ")
    try:
        record_failure(target, load, message)
        tell(target, load.load_id, load.attempt_no, ports, helper)
    except PipelineError as exc:
        log.error("%s: the failure could not be recorded or told: %s", load.load_id, exc)  # noqa: TRY400
