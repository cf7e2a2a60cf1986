"""The gate for single rows that a person releases from quarantine."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from tasks.handover import Extracted, TableVerdict
from tasks.pipeline import Table
from tasks.ports import Helper


def validate_released(table: Table, rows: Path, work: Path, helper: Helper) -> TableVerdict:
    """Pass rows through today's gate once more, in the helper process.

    Raises:
        ConfigurationError: The suite is missing or asks for what it cannot.
    """
    reply = helper.call(
        "tasks.validate.release:judge", table=table.model_dump(mode="json"), rows=str(rows), work=str(work)
    )
    return msgspec.convert(reply, TableVerdict)


def judge(table: Mapping[str, Any], rows: str, work: str) -> dict[str, Any]:
    """Judge rows by their keys and by the expectations about single rows.

    What is expected of a batch as a whole, such as how many rows it has, says nothing of a few rows.
    """
    from expectations.engine import is_row_level  # noqa: PLC0415  imports GX, which takes seconds
    from tasks.validate.gate import judge_table  # noqa: PLC0415
    from tasks.validate.suites import find_suite, read_suite, split_suite  # noqa: PLC0415

    declared = Table.model_validate(table)
    suite = split_suite(read_suite(find_suite(declared.suite_name)), declared.name)
    suite = replace(suite, judging=[each for each in suite.judging if is_row_level(each)])
    nothing = Extracted(resource=declared.resource, frames="", received=0, decoded=0)
    verdict = judge_table(declared, Path(rows), suite, nothing, None, Path(work))
    as_json: dict[str, Any] = msgspec.to_builtins(verdict)
    return as_json
