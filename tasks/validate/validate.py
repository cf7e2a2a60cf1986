"""The validate step's two ends: the call in the flow's process, and the function in the helper's."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tasks.handover import Extracted, Load, TableVerdict, Transformed
from tasks.pipeline import Pipeline, Table
from tasks.ports import Helper
from tasks.timings import timed_step

log = logging.getLogger(__name__)


@timed_step("validate", subject="table")
def validate_table(
    pipeline: Pipeline,
    table: Table,
    load: Load,
    tables: Mapping[str, Transformed],
    extracted: Sequence[Extracted],
    helper: Helper,
) -> TableVerdict:
    """Pass one table's rows through the gate, in the helper process.

    Raises:
        ConfigurationError: The suite is missing or asks for what it cannot.
    """
    source = next(e for e in extracted if e.resource == table.resource)
    incremental = pipeline.resource(table.resource).incremental
    reply = helper.call(
        "tasks.validate.validate:judge",
        table=table.model_dump(mode="json"),
        rows=tables[table.name].rows,
        extracted=msgspec.to_builtins(source),
        cursor_field=incremental.field if incremental else None,
        work=load.work,
    )
    verdict = msgspec.convert(reply, TableVerdict)
    log.info(
        "%s: %s; %d clean, %d quarantined, %d superseded of %d rows",
        *(table.name, verdict.verdict, verdict.clean_count, verdict.quarantined),
        *(verdict.superseded, verdict.transformed),
    )
    return verdict


def judge(
    table: dict[str, Any], rows: str, extracted: dict[str, Any], cursor_field: str | None, work: str
) -> dict[str, Any]:
    """`judge_table` with arguments and result as JSON; runs where Great Expectations is loaded."""
    import expectations.engine  # noqa: F401, PLC0415  first: it imports GX in less time than GX does
    from tasks.validate.gate import judge_table  # noqa: PLC0415  imports GX, which takes seconds
    from tasks.validate.suites import find_suite, read_suite, split_suite  # noqa: PLC0415

    declared = Table.model_validate(table)
    suite = split_suite(read_suite(find_suite(declared.suite_name)), declared.name)
    verdict = judge_table(
        declared, Path(rows), suite, msgspec.convert(extracted, Extracted), cursor_field, Path(work)
    )
    as_json: dict[str, Any] = msgspec.to_builtins(verdict)
    return as_json
