"""One run of a pipeline: what its steps need, opened before the first and put away after the last."""

import atexit
import gc
import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from flows.interpreter import set_for_runs
from flows.machines import find_full_disk, refuse_passing_places
from flows.ports import Ports
from flows.telling import record_and_tell_failure, tell, tell_unopened
from flows.tidying import tidy_landing, tidy_work
from tasks.errors import DataQualityError, PipelineError
from tasks.extract.client import ApiClient, open_client
from tasks.extract.landing.addresses import join
from tasks.handover import Load, LoadReport, Status
from tasks.helper import HelperProcess
from tasks.load import ledger
from tasks.load.connection import hold_pipeline, open_connection, resolve_dsn
from tasks.load.load import Target, accept_load, read_blocked
from tasks.load.refreshing import is_refresh_due
from tasks.load.replays import open_replay
from tasks.load.schemas import read_schemas
from tasks.load.staging import drop_leftovers, prepare_staging
from tasks.pipeline import Pipeline
from tasks.ports import Helper
from tasks.timings import record_timings, step

log = logging.getLogger(__name__)

# At its end Python looks for garbage among all that was ever imported: 0.4 s of a process that goes anyway.
atexit.register(gc.freeze)


@dataclass(frozen=True)
class Order:
    """What a run is asked for, in the words of the flow, when it is not just what is new.

    Attributes:
        full_refresh: Ask the API for everything, whatever the cursor says.
        replay: Apply once more what this load has landed, and ask the API for nothing.
        force: Replay even where older rows could replace newer ones.
    """

    full_refresh: bool = False
    replay: str | None = None
    force: bool = False


WHAT_IS_NEW = Order()


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
    pipeline: Pipeline, ports: Ports, follow: Callable[[Run], Status], order: Order = WHAT_IS_NEW
) -> LoadReport:
    """Make one attempt at a load, and tell people of it however it ends.

    Raises:
        DataQualityError: The gate blocked the load.
        PipelineError: The attempt failed; nothing was published.
    """
    with record_timings() as timings, set_for_runs(), ExitStack() as stack:
        try:
            with step("open"):
                target, helper = enter_run(stack, pipeline, ports)
                load = _open_load(target, pipeline, ports, order)
            timings.attempt = load.load_id, load.attempt_no
        except PipelineError as exc:
            tell_unopened(pipeline, ports, exc)
            raise
        try:
            with open_client(pipeline.source, pipeline.name, ports.secrets) as client:
                status = follow(Run(pipeline, load, client, helper, target))
        except BaseException as exc:
            full_disk = find_full_disk(exc, ports.settings)
            tidy_work(load, "failed")  # first, since what is told may need the room
            record_and_tell_failure(target, load, ports, helper, full_disk or exc)
            if full_disk:
                raise full_disk from exc
            raise
        report = tell(target, load.load_id, load.attempt_no, ports, helper)
        tidy_work(load, status)
        tidy_landing(ports.settings, target, pipeline.name)
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
        target, helper = enter_run(stack, pipeline, ports)
        with open_connection(target.dsn) as conn:
            attempt_no, started_at = ledger.reopen_blocked(conn, load_id, run_url=ports.run_url)
        load = msgspec.structs.replace(blocked.load, attempt_no=attempt_no, started_at=started_at)
        try:
            accept_load(target, pipeline, load, blocked, reason)
        except BaseException as exc:
            record_and_tell_failure(target, load, ports, helper, exc)
            tidy_work(load, "failed")
            raise
        report = tell(target, load_id, attempt_no, ports, helper)
        tidy_work(load, report.status)
        return report


def enter_run(stack: ExitStack, pipeline: Pipeline, ports: Ports) -> tuple[Target, HelperProcess]:
    """Start what a run needs, and finish what a killed one left: staging, and news nobody was told."""
    refuse_passing_places(ports.settings, ports.pool_type)
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
        tell(target, load_id, attempt_no, ports, helper)
    return target, helper


def _open_load(target: Target, pipeline: Pipeline, ports: Ports, order: Order) -> Load:
    settings = ports.settings
    with open_connection(target.dsn) as conn:
        if order.replay is None:
            opened = ledger.open_load(
                conn,
                pipeline.name,
                pipeline.fingerprint(),
                resume_within_s=settings.resume_within_s,
                full_refresh=order.full_refresh or is_refresh_due(conn, pipeline),
                run_url=ports.run_url,
            )
        else:
            opened = open_replay(conn, pipeline, order.replay, is_forced=order.force, run_url=ports.run_url)
        schemas = read_schemas(conn, pipeline.name)
    load = Load(
        load_id=opened.load_id,
        attempt_no=opened.attempt_no,
        pipeline=pipeline.name,
        cursors=opened.cursors,
        landing=join(settings.landing, opened.replay_of or opened.load_id, f"raw-{opened.extraction}"),
        work=str(settings.work / opened.load_id / str(opened.attempt_no)),
        started_at=opened.started_at,
        schemas=schemas,
        replay_of=opened.replay_of,
    )
    Path(load.work).mkdir(parents=True, exist_ok=True)
    verb = "resumed" if opened.is_resumed else "begun"
    log.info("%s: load %s %s, attempt %d", pipeline.name, load.load_id, verb, load.attempt_no)
    return load
