"""One run of a pipeline: what its steps need, opened before the first and put away after the last."""

import datetime as dt
import logging
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tasks.errors import DataQualityError, PipelineError
from tasks.extract.client import ApiClient, open_client
from tasks.handover import Load, LoadLine, LoadReport, Status
from tasks.helper import HelperProcess
from tasks.load import history, ledger
from tasks.load.connection import hold_pipeline, open_connection, resolve_dsn
from tasks.load.load import JUDGED, Target, accept_load, read_blocked, record_failure
from tasks.load.schemas import read_schemas
from tasks.load.staging import drop_leftovers, prepare_staging
from tasks.pipeline import Pipeline
from tasks.ports import Audience, Helper, Secrets
from tasks.publish.events import events_of
from tasks.publish.reports import tell_people
from tasks.settings import Settings

log = logging.getLogger(__name__)

Publish = Callable[[LoadReport, list[LoadLine], Audience, Helper], dict[str, str]]


@dataclass(frozen=True)
class Ports:
    """The world as a run meets it: see `flows/wiring.py` for the two ways it is wired."""

    settings: Settings
    secrets: Secrets
    audience: Audience
    run_url: str | None = None
    publish: Publish = tell_people


class Run:
    """What the steps of one attempt share. A plain class: Prefect looks into dataclasses for futures."""

    def __init__(
        self, pipeline: Pipeline, load: Load, client: ApiClient, helper: Helper, target: Target
    ) -> None:
        self.pipeline = pipeline
        self.load = load
        self.client = client
        self.helper = helper
        self.target = target


def run_pipeline(
    pipeline: Pipeline, ports: Ports, follow: Callable[[Run], Status], *, full_refresh: bool = False
) -> LoadReport:
    """Make one attempt at a load, and tell people of it however it ends.

    Raises:
        DataQualityError: The gate blocked the load.
        PipelineError: The attempt failed; nothing was published.
    """
    with ExitStack() as stack:
        try:
            target, helper = _enter(stack, pipeline, ports)
            load = _open_load(target, pipeline, ports, full_refresh=full_refresh)
        except PipelineError as exc:
            _tell_unopened(pipeline, ports, exc)
            raise
        try:
            with open_client(pipeline.source, pipeline.name, ports.secrets) as client:
                status = follow(Run(pipeline, load, client, helper, target))
        except BaseException as exc:
            _record_and_tell_failure(target, load, ports, helper, exc)
            raise
        report = _tell(target, load.load_id, load.attempt_no, ports, helper)
        _tidy(load, status)
    if status == "blocked":
        raise DataQualityError(
            f"{report.error}. Nothing is published, the tables are as before. See the report; then mend the "
            f"data or the suite and run again, or publish it as it is: assay accept {load.load_id} --reason …"
        )
    return report


def accept(pipeline_of: Callable[[str], Pipeline], load_id: str, reason: str, ports: Ports) -> LoadReport:
    """Publish a blocked load by a person's decision, recorded with name and reason.

    Raises:
        ConfigurationError: The load is unknown, not blocked, or not the pipeline's latest word.
        PipelineError: It could not be published; nothing is.
    """
    target = Target(resolve_dsn(ports.settings), ports.settings.statement_timeout_s)
    with open_connection(target.dsn) as conn:
        ledger.migrate(conn)
        blocked = read_blocked(conn, load_id)
    pipeline = pipeline_of(blocked.load.pipeline)
    with ExitStack() as stack:
        target, helper = _enter(stack, pipeline, ports)
        with open_connection(target.dsn) as conn:
            attempt_no, started_at = ledger.reopen_blocked(conn, load_id, run_url=ports.run_url)
        load = msgspec.structs.replace(blocked.load, attempt_no=attempt_no, started_at=started_at)
        try:
            accept_load(target, pipeline, load, blocked, reason)
        except BaseException as exc:
            _record_and_tell_failure(target, load, ports, helper, exc)
            raise
        report = _tell(target, load_id, attempt_no, ports, helper)
        _tidy(load, report.status)
        return report


def _enter(stack: ExitStack, pipeline: Pipeline, ports: Ports) -> tuple[Target, HelperProcess]:
    """Start what a run needs, and finish what a killed one left: staging, and news nobody was told."""
    target = Target(resolve_dsn(ports.settings), ports.settings.statement_timeout_s)
    stack.enter_context(hold_pipeline(target.dsn, pipeline.name))
    helper = stack.enter_context(HelperProcess(ports.settings.home / "logs" / "helper.log"))
    with open_connection(target.dsn) as conn:
        ledger.migrate(conn)
        prepare_staging(conn)
        if dropped := drop_leftovers(conn, ledger.load_ids(conn, pipeline.name)):
            log.info("%s: %d staging tables of an interrupted run dropped", pipeline.name, dropped)
        untold = ledger.untold_attempts(conn, pipeline.name)
    for load_id, attempt_no in untold:
        log.info("%s: telling of attempt %d, which ended before it could", load_id, attempt_no)
        _tell(target, load_id, attempt_no, ports, helper)
    return target, helper


def _open_load(target: Target, pipeline: Pipeline, ports: Ports, *, full_refresh: bool) -> Load:
    with open_connection(target.dsn) as conn:
        opened = ledger.open_load(
            conn,
            pipeline.name,
            pipeline.fingerprint(),
            resume_within_s=ports.settings.resume_within_s,
            full_refresh=full_refresh,
            run_url=ports.run_url,
        )
        schemas = read_schemas(conn, pipeline.name)
    folder = ports.settings.landing / opened.load_id
    load = Load(
        load_id=opened.load_id,
        attempt_no=opened.attempt_no,
        pipeline=pipeline.name,
        cursors=opened.cursors,
        landing=str(folder / f"raw-{opened.extraction}"),
        work=str(folder / f"work-{opened.attempt_no}"),
        started_at=opened.started_at,
        schemas=schemas,
    )
    Path(load.work).mkdir(parents=True, exist_ok=True)
    verb = "resumed" if opened.is_resumed else "begun"
    log.info("%s: load %s %s, attempt %d", pipeline.name, load.load_id, verb, load.attempt_no)
    return load


def _tell(target: Target, load_id: str, attempt_no: int, ports: Ports, helper: Helper) -> LoadReport:
    """Tell people of an attempt, and note that they know."""
    with open_connection(target.dsn) as conn:
        report = history.read_report(conn, load_id, attempt_no)
        lines = history.read_lines(conn)
    ports.publish(report, lines, ports.audience, helper)
    with open_connection(target.dsn) as conn:
        ledger.mark_told(conn, load_id, attempt_no)
    return report


def _tell_unopened(pipeline: Pipeline, ports: Ports, failure: PipelineError) -> None:
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


def _record_and_tell_failure(
    target: Target, load: Load, ports: Ports, helper: Helper, failure: BaseException
) -> None:
    """Keep the first failure the one that is raised, whatever else fails while it is told."""
    name = "Interrupted" if isinstance(failure, KeyboardInterrupt) else type(failure).__name__
    message = str(failure) if isinstance(failure, PipelineError) else f"{name}: {failure}".rstrip(": ")
    try:
        record_failure(target, load, message)
        _tell(target, load.load_id, load.attempt_no, ports, helper)
    except PipelineError as exc:
        log.error("%s: the failure could not be recorded or told: %s", load.load_id, exc)  # noqa: TRY400
    _tidy(load, "failed")


def _tidy(load: Load, status: Status) -> None:
    """Drop the typed files that nobody needs any more; a blocked attempt's, a person may yet accept."""
    own = Path(load.work)
    for folder in own.parent.glob("work-*"):
        match status:
            case "blocked":
                is_needed = folder == own
            case "failed":
                is_needed = (folder / JUDGED).exists()
            case _:
                is_needed = False
        if not is_needed:
            shutil.rmtree(folder)
