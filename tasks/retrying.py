"""How tasks that meet the world are retried: the same for all of them."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from tasks.errors import is_retriable

P = ParamSpec("P")
R = TypeVar("R")


def retried_task(task_run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A Prefect task that is tried again, twice and later each time, where its error says that this helps."""
    return task(
        task_run_name=task_run_name,
        retries=2,
        retry_delay_seconds=exponential_backoff(backoff_factor=2),
        retry_jitter_factor=1,
        retry_condition_fn=is_retriable,
        cache_policy=NO_CACHE,
    )
