"""The Prefect task of the extract step."""

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from tasks.errors import is_retriable
from tasks.extract.client import ApiClient
from tasks.extract.extract import extract_resource
from tasks.handover import Extracted, Load
from tasks.pipeline import Resource


@task(
    task_run_name="extract {resource.name}",
    # A page is retried on the spot; this is for longer outages. What is landed is not asked for again.
    retries=2,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_jitter_factor=1,
    retry_condition_fn=is_retriable,
    cache_policy=NO_CACHE,
)
def extract(client: ApiClient, resource: Resource, load: Load, parent: Extracted | None = None) -> Extracted:
    """Land a resource's pages and write its records as typed Parquet."""
    return extract_resource(client, resource, load, parent)
