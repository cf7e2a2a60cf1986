"""The flow `ingest`: one attempt at loading a pipeline's new data, tested before it is visible."""

import datetime as dt
import logging

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.catalog import find_pipeline
from flows.path import Steps, follow_path
from flows.run import Order, run_pipeline
from flows.wiring import prefect_ports
from tasks.errors import PipelineError
from tasks.extract.task import extract
from tasks.load.task import load_staged, stage
from tasks.transform.task import transform
from tasks.validate.task import validate

log = logging.getLogger(__name__)

STEPS = Steps(
    extract=extract.submit,
    transform=transform.submit,
    validate=validate.submit,
    stage=stage.submit,
    load=load_staged.submit,
)


def _name_run() -> str:
    started = flow_run.scheduled_start_time or dt.datetime.now(dt.UTC)
    return f"{flow_run.parameters['pipeline']} {started:%d %b %H:%M}"


@flow(
    name="ingest",
    flow_run_name=_name_run,
    task_runner=ThreadPoolTaskRunner(max_workers=8),  # type: ignore[arg-type]  # generic, and invariant
    # Tasks have none: Prefect cannot interrupt a thread, and warns of it at each. What they wait for has its
    # own: HTTP requests, statements in Postgres, calls of the helper process.
    timeout_seconds=12 * 3600,
)
def ingest(
    pipeline: str, full_refresh: bool = False, replay: str | None = None, force: bool = False
) -> State[None]:
    """Bring what is new at a pipeline's API into its Postgres tables, or leave them as they are.

    Args:
        pipeline: Name of a file in `flows/pipelines/`.
        full_refresh: Ask the API for everything, not only for what changed since the cursor.
        replay: Id of a load: apply once more what it has landed, without the API.
        force: Replay even where older rows could replace newer ones.

    Returns:
        Completed, or Failed with a message for people: the gate blocked the load, or a step failed. Then
        nothing is published, and the next run goes on from there. (Raised, the error would be stored as a
        pickle, and shown as a traceback.)
    """
    try:
        order = Order(full_refresh=full_refresh, replay=replay, force=force)
        report = run_pipeline(
            find_pipeline(pipeline), prefect_ports(), lambda run: follow_path(run, STEPS), order
        )
    except PipelineError as exc:
        log.error("%s", exc)  # noqa: TRY400  the message says it all
        return Failed(message=str(exc))
    rows = sum(table.inserted + table.updated for table in report.tables)
    return Completed(message=f"{report.status}: {rows:,} rows written")
