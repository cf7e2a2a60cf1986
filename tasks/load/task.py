"""The Prefect tasks of the load step: staging, a task a table, and the publishing transaction."""

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from tasks.errors import is_retriable
from tasks.handover import Extracted, Load, Status, TableVerdict
from tasks.load.load import Target, load_tables, stage_table
from tasks.pipeline import Pipeline, Table


@task(
    task_run_name="stage {table.name}",
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_jitter_factor=1,
    retry_condition_fn=is_retriable,
    cache_policy=NO_CACHE,
)
def stage(target: Target, table: Table, load: Load, verdict: TableVerdict) -> int:
    """Copy one table's clean rows into staging."""
    return stage_table(target, table, load, verdict)


@task(
    task_run_name="load",
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_jitter_factor=1,
    retry_condition_fn=is_retriable,
    cache_policy=NO_CACHE,
)
def load_staged(
    target: Target,
    pipeline: Pipeline,
    load: Load,
    verdicts: list[TableVerdict],
    extracted: list[Extracted],
    staged: list[int],
) -> Status:
    """Publish the staged tables in one transaction, or record that the gate blocks them."""
    return load_tables(target, pipeline, load, verdicts, extracted, staged)
