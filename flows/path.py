"""The path of the data, once for both ways to run it: under Prefect, and without."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flows.run import Run
from tasks.extract.extract import extract_resource
from tasks.handover import Status
from tasks.load.load import load_tables, stage_table
from tasks.transform.transform import transform_tables
from tasks.validate.validate import validate_table

Submit = Callable[..., Any]
"""Starts a step and returns its future at once; arguments may be futures of earlier steps, or lists."""


@dataclass(frozen=True)
class Steps:
    """The five steps, each as something that starts it."""

    extract: Submit
    transform: Submit
    validate: Submit
    stage: Submit
    load: Submit


def follow_path(run: Run, steps: Steps) -> Status:
    """Take one load from the API to Postgres; returns how it ended.

    Raises:
        PipelineError: The first step that failed raised it; nothing was published.
    """
    pipeline, load = run.pipeline, run.load
    extracted = [steps.extract(run.client, resource, load) for resource in pipeline.resources]
    tables = steps.transform(pipeline, load, extracted)
    verdicts = [
        steps.validate(pipeline, table, load, tables, extracted, run.helper) for table in pipeline.tables
    ]
    staged = [
        steps.stage(run.target, table, load, verdict)
        for table, verdict in zip(pipeline.tables, verdicts, strict=True)
    ]
    loaded = steps.load(run.target, pipeline, load, verdicts, extracted, staged)
    status: Status = _wait_for([*extracted, tables, *verdicts, *staged, loaded])[-1]
    return status


def _wait_for(steps: list[Any]) -> list[Any]:
    """Results of all steps, once all have ended: what they share must not be put away under them.

    Raises the first failure in the order of the path, which is the one that the later ones follow from.
    """
    results, failures = [], []
    for step in steps:
        try:
            results.append(step.result())
        except Exception as exc:  # noqa: BLE001  raised below
            failures.append(exc)
    if failures:
        raise failures[0]
    return results


@contextmanager
def plain_steps(threads: int) -> Iterator[Steps]:
    """The steps on a thread pool of this process, without Prefect.

    Steps are started in the order of their dependencies, so one that waits for another never keeps it
    from a thread.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="step") as pool:

        def start(step: Callable[..., Any]) -> Submit:
            return lambda *arguments: pool.submit(lambda: step(*map(_resolve, arguments)))

        yield Steps(
            extract=start(extract_resource),
            transform=start(transform_tables),
            validate=start(validate_table),
            stage=start(stage_table),
            load=start(load_tables),
        )


def _resolve(argument: Any) -> Any:
    if isinstance(argument, Future):
        return argument.result()
    if isinstance(argument, list):
        return [_resolve(item) for item in argument]
    return argument
