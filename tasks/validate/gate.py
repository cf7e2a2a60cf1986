"""The gate: sort a table's rows into clean, quarantined and superseded, and judge the batch.

Great Expectations decides what is unexpected; the gate only adds where rows go and what a failure means.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from great_expectations import ExpectationSuite
from great_expectations.core import ExpectationValidationResult
from great_expectations.expectations.expectation import Expectation

from expectations.engine import unexpected_rows_expr, validate_frame
from tasks.handover import ExpectationOutcome, Extracted, TableVerdict, Verdict
from tasks.pipeline import Table
from tasks.validate.keys import resolve_keys
from tasks.validate.outcomes import has_error, judge_diverting, judge_result, judge_rule
from tasks.validate.quarantine import state_reason, with_reasons, write_quarantine
from tasks.validate.suites import DEFAULT_MAX_ROWS, Diverting, GatedSuite

RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 20}
FLAG = "__assay_unexpected_{}"


def judge_table(
    table: Table, rows: Path, suite: GatedSuite, extracted: Extracted, cursor_field: str | None, work: Path
) -> TableVerdict:
    """Pass one table's rows through the gate.

    Writes the clean rows (unless all rows are) and the quarantined ones to `work`.
    """
    frame = pl.scan_parquet(rows)
    transformed = frame.select(pl.len()).collect().item()
    rejected = _judge_rejected(suite, extracted)
    if not transformed:
        verdict: Verdict = "blocked" if any(o.blocks for o in rejected) else "no new rows"
        return TableVerdict(
            table=table.name,
            resource=table.resource,
            verdict=verdict,
            transformed=0,
            superseded=0,
            quarantined=0,
            clean_count=0,
            clean=str(rows),
            outcomes=tuple(rejected),
            checks=tuple(suite.checks),
        )

    keyed = resolve_keys(frame, table.primary_key, table.version_by)
    count = transformed - keyed.superseded - keyed.faulty.height
    clean, diverted, judged = _apply_suite(suite, keyed.remaining, count)
    quarantined = pl.concat([keyed.faulty, diverted])
    outcomes = [
        *rejected,
        *_judge_keys(table, suite, keyed.faulty, transformed),
        *judged,
        *_judge_union(table, suite, quarantined.height, transformed),
    ]
    is_whole = quarantined.is_empty() and not keyed.superseded
    clean_file = rows if is_whole else _write_clean(clean, work / f"{table.name}.clean.parquet")
    carries_cursor = cursor_field is not None and cursor_field in frame.collect_schema()
    return TableVerdict(
        table=table.name,
        resource=table.resource,
        verdict=_name_verdict(outcomes),
        transformed=transformed,
        superseded=keyed.superseded,
        quarantined=quarantined.height,
        clean_count=transformed - keyed.superseded - quarantined.height,
        clean=str(clean_file),
        quarantine=write_quarantine(
            quarantined, table.primary_key, work / f"{table.name}.quarantine.parquet"
        ),
        carries_cursor=carries_cursor,
        cursor=_greatest(clean_file, cursor_field, extracted.cursor_cap) if carries_cursor else None,
        outcomes=tuple(outcomes),
        checks=tuple(suite.checks),
    )


def _apply_suite(
    suite: GatedSuite, remaining: pl.LazyFrame, count: int
) -> tuple[pl.LazyFrame, pl.DataFrame, list[ExpectationOutcome]]:
    """The clean rows, the diverted ones with their reasons, and the outcomes.

    Diverting expectations see all remaining rows, the others the clean ones.

    Both are evaluated together first: where nothing is diverted, the remaining rows are the clean ones.
    """
    all_results = _validate(remaining, [*(d.expectation for d in suite.diverting), *suite.judging])
    diverting_results = all_results[: len(suite.diverting)]
    judging_results = all_results[len(suite.diverting) :]
    clean, diverted = _sort_rows(remaining, suite.diverting, diverting_results)
    clean_count = count - diverted.height
    if clean_count != count:
        judging_results = _validate(clean, suite.judging)
    outcomes = [
        judge_diverting(suite, diverting, result, rows_seen=count)
        for diverting, result in zip(suite.diverting, diverting_results, strict=True)
    ]
    outcomes += [
        judge_result(suite, result, rows_seen=clean_count, seen="clean") for result in judging_results
    ]
    return clean, diverted, outcomes


def _validate(frame: pl.LazyFrame, expectations: Sequence[Expectation]) -> list[ExpectationValidationResult]:
    if not expectations:
        return []
    suite = ExpectationSuite(name="gate", expectations=list(expectations))
    return list(validate_frame(frame, suite, result_format=RESULT_FORMAT).results)


def _sort_rows(
    remaining: pl.LazyFrame, diverting: Sequence[Diverting], results: Sequence[ExpectationValidationResult]
) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """Divert the rows that any expectation flags, with the reasons; a verdict of null does not flag."""
    schema = remaining.collect_schema()
    flagging = [
        d.expectation
        for d, result in zip(diverting, results, strict=True)
        if not has_error(result) and result.result.get("unexpected_count")
    ]
    if not flagging:
        return remaining, with_reasons(remaining.head(0).collect(), [])
    flags = {
        FLAG.format(position): unexpected_rows_expr(expectation, schema).fill_null(value=False)
        for position, expectation in enumerate(flagging)
    }
    flagged = remaining.with_columns(**flags)
    is_unexpected = pl.any_horizontal(list(flags))
    reasons = [
        pl.when(flag).then(pl.lit(state_reason(expectation)))
        for flag, expectation in zip(flags, flagging, strict=True)
    ]
    diverted = with_reasons(flagged.filter(is_unexpected).collect(engine="streaming"), reasons)
    return flagged.filter(~is_unexpected).drop(list(flags)), diverted.drop(list(flags))


def _judge_rejected(suite: GatedSuite, extracted: Extracted) -> list[ExpectationOutcome]:
    if not extracted.rejected_count:
        return []
    assert extracted.rejected is not None
    first = pl.scan_parquet(extracted.rejected).head(20).select("path", "message").collect()
    return [
        judge_rule(
            suite,
            "records_fit_the_schema",
            count=extracted.rejected_count,
            budget=DEFAULT_MAX_ROWS,
            rows_seen=extracted.received,
            message=f"{extracted.rejected_count} of {extracted.received} records do not fit the schema",
            examples=tuple(f"{path}: {message}" for path, message in first.iter_rows()),
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


def _write_clean(clean: pl.LazyFrame, path: Path) -> Path:
    clean.sink_parquet(path, compression="lz4", engine="streaming")
    return path


def _greatest(rows: Path, field: str | None, cap: str | None) -> str | None:
    """The greatest value of the cursor's column, at most the cap, as ISO 8601."""
    assert field is not None
    found = pl.scan_parquet(rows).select(pl.col(field).max()).collect().item()
    if found is None:
        return None
    return str(found.isoformat() if cap is None else min(found, dt.datetime.fromisoformat(cap)).isoformat())
