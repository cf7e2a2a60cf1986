"""The Prefect task of the extract step."""

from tasks.extract.client import ApiClient
from tasks.extract.extract import extract_resource
from tasks.handover import Extracted, Load
from tasks.pipeline import Resource
from tasks.ports import Stream
from tasks.retrying import retried_task


# A page is retried on the spot; this is for longer outages. What is landed is not asked for again.
@retried_task("extract {resource.name}")
def extract(
    client: ApiClient,
    resource: Resource,
    load: Load,
    parent: Extracted | None = None,
    stream: Stream | None = None,
) -> Extracted:
    """Land a resource's pages, and write its records as typed Parquet or stream them to their tables."""
    return extract_resource(client, resource, load, parent, stream)
