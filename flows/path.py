"""The path of the data, once for both ways to run it: under Prefect, and without."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from polars.exceptions import PanicException

from flows.run import Run
from flows.streaming import open_stream
from tasks.errors import FatalError
from tasks.extract.extract import extract_resource
from tasks.handover import Status
from tasks.load.load import load_tables, stage_table
from tasks.transform.transform import transform_tables
from tasks.validate.validate import validate_table

LOOK_UP_S = 0.5

Submit = Callable[..., Any]
"""Starts a step and returns its future at once; arguments may be futures of earlier steps, or lists."""


@dataclass(frozen=True)
class Steps:
    """The five steps, each as something that starts it, and what keeps those that wait from starting."""

    extract: Submit
    transform: Submit
    validate: Submit
    stage: Submit
    load: Submit
    stop: Callable[[], None] = lambda: None


def follow_path(run: Run, steps: Steps) -> Status:
    """Take one load from the API to Postgres; returns how it ended.

    Raises:
        PipelineError: The first step that failed raised it; nothing was published.
    """
    pipeline, load = run.pipeline, run.load
    extractions: dict[str | None, Any] = {None: None}
    for resource in pipeline.in_order():
        parent = resource.parent.resource if resource.parent else None
        stream = open_stream(pipeline, resource, load, run.target)
        extractions[resource.name] = steps.extract(run.client, resource, load, extractions[parent], stream)
    extracted = [extractions[resource.name] for resource in pipeline.resources]
    tables = steps.transform(pipeline, load, extracted)
    verdicts = [
        steps.validate(pipeline, table, load, tables, extracted, run.helper) for table in pipeline.tables
    ]
    staged = [
        steps.stage(run.target, pipeline, table, load, tables, verdict)
        for table, verdict in zip(pipeline.tables, verdicts, strict=True)
    ]
    loaded = steps.load(run.target, pipeline, load, verdicts, extracted, staged)
    try:
        first = [extractions[resource.name] for resource in pipeline.in_order()]
        status: Status = _wait_for([*first, tables, *verdicts, *staged, loaded])[-1]
    finally:
        steps.stop()
    return status


def _wait_for(steps: list[Any]) -> list[Any]:
    """Results of all steps, once all have ended: what they share must not be put away under them.

    Raises the first failure in the order of the path, which is the one that the later ones follow from.
    """
    results, failures = [], []
    for step in steps:
        try:
            results.append(_result_of(step))
        except (Exception, PanicException) as exc:  # noqa: BLE001  raised below; a panic is no Exception
            failures.append(exc)
    if failures:
        raise failures[0]
    return results


def _result_of(step: Any) -> Any:
    """A step's result, looking up now and then.

    Polars' own handler of Ctrl-C restarts the system call that the main thread waits in, so that without
    a look the interrupt would be noticed only when the step has ended.
    """
    while True:
        try:
            return step.result(timeout=LOOK_UP_S)
        except TimeoutError:
            if getattr(step, "wrapped_future", step).done():
                raise


@contextmanager
def plain_steps(threads: int) -> Iterator[Steps]:
    """The steps of one run on a thread pool of this process, without Prefect.

    Steps are started in the order of their dependencies, so one that waits for another never keeps it
    from a thread. Once stopped, none begins: a run that was interrupted must not publish afterwards.
    """
    stopped = threading.Event()

    def run(step: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        resolved = [_resolve(argument) for argument in arguments]
        if stopped.is_set():
            raise FatalError("The run was interrupted")
        return step(*resolved)

    with ThreadPoolExecutor(threads, thread_name_prefix="step") as pool:

        def start(step: Callable[..., Any]) -> Submit:
            # In the run's context, where its timings are recorded.
            return lambda *arguments: pool.submit(copy_context().run, run, step, arguments)

        yield Steps(
            extract=start(extract_resource),
            transform=start(transform_tables),
            validate=start(validate_table),
            stage=start(stage_table),
            load=start(load_tables),
            stop=stopped.set,
        )


def _resolve(argument: Any) -> Any:
    if isinstance(argument, Future):
        return argument.result()
    if isinstance(argument, list):
        return [_resolve(item) for item in argument]
    return argument
