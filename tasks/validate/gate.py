"""The gate: sort a table's rows into clean, quarantined and superseded, and judge the batch.

Great Expectations decides what is unexpected; the gate only adds where rows go and what a failure means.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from great_expectations import ExpectationSuite
from great_expectations.core import ExpectationValidationResult
from great_expectations.expectations.expectation import Expectation

from expectations.engine import validate_frame
from tasks.errors import FatalError
from tasks.handover import ExpectationOutcome, Extracted, TableVerdict, Verdict
from tasks.pipeline import Table
from tasks.validate.cursor import carries_cursor, greatest_cursor
from tasks.validate.keys import resolve_keys
from tasks.validate.outcomes import judge_diverting, judge_result, judge_rule
from tasks.validate.quarantine import with_reasons, write_quarantine
from tasks.validate.sorting import sort_rows
from tasks.validate.suites import DEFAULT_MAX_ROWS, GatedSuite

RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 20}


def rehearse() -> None:
    """Validate two rows of nothing: a process's first validation takes a tenth of a second more."""
    expectations: list[Any] = [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "row"}},
        {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "row"}},
        {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "row", "min_value": 0}},
    ]
    suite = ExpectationSuite(name="rehearsal", expectations=expectations)
    validate_frame(pl.LazyFrame({"row": [0, 1]}), suite, result_format=RESULT_FORMAT)


def judge_table(
    table: Table, rows: Path, suite: GatedSuite, extracted: Extracted, cursor_field: str | None, work: Path
) -> TableVerdict:
    """Pass one table's rows through the gate.

    Writes the clean rows (unless all rows are) and the quarantined ones to `work`.

    Raises:
        FatalError: Rows were lost or doubled on the way.
    """
    transformed = _count_rows(rows)
    rejected = _judge_rejected(suite, extracted)
    if not transformed:
        rejected += _judge_wholeness(table, suite, extracted.rejected_count, transformed)
        return _skip_suite(table, rows, suite, rejected)

    frame = pl.scan_parquet(rows, glob=False)
    keyed = resolve_keys(frame, table.identity, table.newest_by)
    living, dead = _part_deleted(table, keyed.remaining)
    count = transformed - keyed.superseded - keyed.faulty.height - dead.height
    sorted_file = work / f"{table.name}.clean.parquet"
    if count or dead.is_empty():
        clean, diverted, judged = _apply_suite(suite, living, count, sorted_file)
    else:
        clean, diverted, judged = living, with_reasons(living.head(0).collect(), []), []
    quarantined = pl.concat([keyed.faulty, diverted])
    outcomes = [
        *rejected,
        *_judge_keys(table, suite, keyed.faulty, transformed),
        *judged,
        *_judge_wholeness(table, suite, extracted.rejected_count + quarantined.height, transformed),
        *_judge_union(table, suite, quarantined.height, transformed),
    ]
    if quarantined.is_empty() and not keyed.superseded:
        clean_file = rows
    elif dead.height or diverted.is_empty():
        clean_file = _write_clean([clean, dead.lazy()], work / f"{table.name}.kept.parquet")
    else:
        clean_file = sorted_file
    clean_count = _count_rows(clean_file)
    _assert_all_there(table, transformed, clean_count, quarantined.height, keyed.superseded)
    carried = (
        cursor_field if carries_cursor(frame.collect_schema(), cursor_field, extracted.cursor_cap) else None
    )
    return TableVerdict(
        table=table.name,
        resource=table.resource,
        verdict=_name_verdict(outcomes),
        transformed=transformed,
        superseded=keyed.superseded,
        quarantined=quarantined.height,
        clean_count=clean_count,
        clean=str(clean_file),
        quarantine=write_quarantine(
            quarantined, table.primary_key, work / f"{table.name}.quarantine.parquet"
        ),
        carries_cursor=carried is not None,
        cursor=greatest_cursor(clean_file, carried, extracted.cursor_cap) if carried else None,
        outcomes=tuple(outcomes),
        checks=tuple(suite.checks),
    )


def _skip_suite(
    table: Table, rows: Path, suite: GatedSuite, rejected: Sequence[ExpectationOutcome]
) -> TableVerdict:
    """An empty batch says nothing of its table: only what was rejected can block it."""
    return TableVerdict(
        table=table.name,
        resource=table.resource,
        verdict="blocked" if any(outcome.blocks for outcome in rejected) else "no new rows",
        transformed=0,
        superseded=0,
        quarantined=0,
        clean_count=0,
        clean=str(rows),
        outcomes=tuple(rejected),
        checks=tuple(suite.checks),
    )


def _part_deleted(table: Table, remaining: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """The rows that live, and those with a tombstone, which have little but a key and are never seen."""
    if table.tombstone is None:
        return remaining, remaining.head(0).collect()
    mark = pl.col(table.tombstone)
    is_flag = remaining.collect_schema()[table.tombstone] == pl.Boolean
    is_dead = mark.fill_null(value=False) if is_flag else mark.is_not_null()
    return remaining.filter(~is_dead), remaining.filter(is_dead).collect(engine="streaming")


def _apply_suite(
    suite: GatedSuite, remaining: pl.LazyFrame, count: int, clean_file: Path
) -> tuple[pl.LazyFrame, pl.DataFrame, list[ExpectationOutcome]]:
    """The clean rows, the diverted ones with their reasons, and the outcomes.

    Every expectation is evaluated once: the diverting ones on all remaining rows, then the others on the
    clean ones.
    """
    diverting_results = _validate(suite, remaining, [each.expectation for each in suite.diverting])
    clean, diverted = sort_rows(suite, remaining, diverting_results, clean_file)
    clean_count = count - diverted.height
    judging_results = _validate(suite, clean, suite.judging)
    outcomes = [
        judge_diverting(suite, diverting, result, rows_seen=count)
        for diverting, result in zip(suite.diverting, diverting_results, strict=True)
    ]
    outcomes += [
        judge_result(suite, result, rows_seen=clean_count, seen="clean") for result in judging_results
    ]
    return clean, diverted, outcomes


def _validate(
    suite: GatedSuite, frame: pl.LazyFrame, expectations: Sequence[Expectation]
) -> list[ExpectationValidationResult]:
    if not expectations:
        return []
    part = ExpectationSuite(
        name=suite.name, expectations=list(expectations), suite_parameters=suite.parameters
    )
    return list(validate_frame(frame, part, result_format=RESULT_FORMAT).results)


def _judge_rejected(suite: GatedSuite, extracted: Extracted) -> list[ExpectationOutcome]:
    if not extracted.rejected_count:
        return []
    assert extracted.rejected is not None
    first = pl.scan_parquet(extracted.rejected, glob=False).head(20).select("path", "message").collect()
    reasons = tuple(f"{path}: {message}" for path, message in first.iter_rows())
    return [
        judge_rule(
            suite,
            "records_fit_the_schema",
            count=extracted.rejected_count,
            budget=DEFAULT_MAX_ROWS,
            rows_seen=extracted.received,
            message=f"{extracted.rejected_count} of {extracted.received} records do not fit the schema, "
            f"the first for {reasons[0]}",
            examples=reasons,
        )
    ]


def _judge_keys(
    table: Table, suite: GatedSuite, faulty: pl.DataFrame, transformed: int
) -> list[ExpectationOutcome]:
    if faulty.is_empty():
        return []
    return [
        judge_rule(
            suite,
            "primary_key_identifies_a_row",
            count=faulty.height,
            budget=DEFAULT_MAX_ROWS,
            rows_seen=transformed,
            message=f"{faulty.height} of {transformed} rows have a null in the key or share it",
            examples=tuple(str(row) for row in faulty.select(table.primary_key).head(20).iter_rows()),
        )
    ]


def _judge_wholeness(
    table: Table, suite: GatedSuite, kept_out: int, transformed: int
) -> list[ExpectationOutcome]:
    """Without a key nobody knows which published row a kept-out one would have replaced: it would be lost."""
    if table.disposition != "replace" or table.primary_key or not kept_out:
        return []
    return [
        judge_rule(
            suite,
            "keyless_replace_is_whole",
            count=kept_out,
            budget=0,
            rows_seen=transformed,
            message=f"{kept_out} rows were kept out of a table that is replaced without a primary_key, so "
            "that their published versions would be deleted",
        )
    ]


def _judge_union(
    table: Table, suite: GatedSuite, quarantined: int, transformed: int
) -> list[ExpectationOutcome]:
    if table.max_quarantined is None or quarantined <= table.max_quarantined:
        return []
    return [
        judge_rule(
            suite,
            "quarantine_stays_small",
            count=quarantined,
            budget=table.max_quarantined,
            rows_seen=transformed,
            message=f"{quarantined} of {transformed} rows were diverted",
        )
    ]


def _name_verdict(outcomes: Sequence[ExpectationOutcome]) -> Verdict:
    if any(outcome.blocks for outcome in outcomes):
        return "blocked"
    return "warned" if any(outcome.state in {"failed", "error"} for outcome in outcomes) else "passed"


def _write_clean(parts: Sequence[pl.LazyFrame], path: Path) -> Path:
    pl.concat(parts).sink_parquet(path, compression="lz4", engine="streaming")
    return path


def _count_rows(rows: Path) -> int:
    return int(pl.scan_parquet(rows, glob=False).select(pl.len()).collect().item())


def _assert_all_there(table: Table, transformed: int, clean: int, quarantined: int, superseded: int) -> None:
    if transformed != clean + quarantined + superseded:
        raise FatalError(
            f"{table.name}: {transformed} rows came to the gate, {clean} clean + {quarantined} quarantined + "
            f"{superseded} superseded leave it. Nothing is published; please report this."
        )
