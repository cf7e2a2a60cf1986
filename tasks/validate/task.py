"""The Prefect task of the validate step."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.handover import Extracted, Load, TableVerdict, Transformed
from tasks.pipeline import Pipeline, Table
from tasks.ports import Helper
from tasks.validate.validate import validate_table


@task(task_run_name="validate {table.name}", cache_policy=NO_CACHE)
def validate(
    pipeline: Pipeline,
    table: Table,
    load: Load,
    tables: dict[str, Transformed],
    extracted: list[Extracted],
    helper: Helper,
) -> TableVerdict:
    """Pass one table's rows through the gate."""
    return validate_table(pipeline, table, load, tables, extracted, helper)
