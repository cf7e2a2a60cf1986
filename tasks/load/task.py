"""The Prefect tasks of the load step: staging, a task a table, and the publishing transaction."""

from tasks.handover import Extracted, Load, Status, TableVerdict
from tasks.load.load import Target, load_tables, stage_table
from tasks.pipeline import Pipeline, Table
from tasks.retrying import retried_task


@retried_task("stage {table.name}")
def stage(target: Target, table: Table, load: Load, verdict: TableVerdict) -> int:
    """Copy one table's clean rows into staging."""
    return stage_table(target, table, load, verdict)


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
