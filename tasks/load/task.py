"""The Prefect tasks of the load step: staging, a task a table, and the publishing transaction."""

from tasks.handover import Extracted, Load, Status, TableVerdict, Transformed
from tasks.load.load import Target, load_tables, stage_table
from tasks.pipeline import Pipeline, Table
from tasks.retrying import retried_task


@retried_task("stage {table.name}")
def stage(
    target: Target,
    pipeline: Pipeline,
    table: Table,
    load: Load,
    tables: dict[str, Transformed],
    verdict: TableVerdict,
) -> int:
    """Have one table's clean rows in staging."""
    return stage_table(target, pipeline, table, load, tables, verdict)


@retried_task("load")
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
