"""The Prefect task of the publish step."""

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from tasks.errors import is_retriable
from tasks.handover import LoadLine, LoadReport
from tasks.ports import Audience, Helper
from tasks.publish.reports import tell_people


@task(
    task_run_name="publish {report.status}",
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_jitter_factor=1,
    retry_condition_fn=is_retriable,
    cache_policy=NO_CACHE,
)
def publish(report: LoadReport, lines: list[LoadLine], audience: Audience, helper: Helper) -> dict[str, str]:
    """Write the report pages, post the artifact, send the events."""
    return tell_people(report, lines, audience, helper)
