"""The Prefect task of the transform step."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.handover import Extracted, Load, Transformed
from tasks.pipeline import Pipeline
from tasks.transform.transform import transform_tables


@task(task_run_name="transform", cache_policy=NO_CACHE)
def transform(pipeline: Pipeline, load: Load, extracted: list[Extracted]) -> dict[str, Transformed]:
    """Make the pipeline's tables of the extracted resources."""
    return transform_tables(pipeline, load, extracted)
