"""A batch at the gate, for tests: rows in, verdict and files out."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
from great_expectations import ExpectationSuite
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metadata_types import FailureSeverity

from tasks.handover import ExpectationOutcome, Extracted, TableVerdict
from tasks.pipeline import Table
from tasks.validate.gate import judge_table
from tasks.validate.suites import split_suite

CAP = "2026-01-02T03:09:05Z"


def expect(kind: str, *, severity: str = "critical", meta: Any = None, **kwargs: Any) -> Expectation:
    """An expectation by its name in suite files."""
    config = ExpectationConfiguration(kind, kwargs, meta=meta, severity=FailureSeverity(severity))
    return config.to_domain_obj()


def make_suite(*expectations: Expectation, **parameters: Any) -> ExpectationSuite:
    return ExpectationSuite("orders", expectations=list(expectations), suite_parameters=parameters or None)


def make_extracted(rows: int = 0, **facts: Any) -> Extracted:
    counts: dict[str, Any] = {"received": rows, "decoded": rows, "cursor_cap": CAP} | facts
    return Extracted(resource="orders", frames="", **counts)


def make_table(**declared: Any) -> Table:
    return Table(**({"name": "orders", "primary_key": ("id",)} | declared))


def judge(
    work: Path,
    frame: pl.DataFrame,
    suite: ExpectationSuite | Sequence[Expectation] = (),
    *,
    extracted: Extracted | None = None,
    cursor_field: str | None = None,
    **declared: Any,
) -> TableVerdict:
    """What the gate says of a frame; its law is checked each time."""
    rows = work / "orders.parquet"
    frame.write_parquet(rows)
    whole = suite if isinstance(suite, ExpectationSuite) else make_suite(*suite)
    verdict = judge_table(
        make_table(**declared),
        rows,
        split_suite(whole, "orders"),
        extracted or make_extracted(frame.height),
        cursor_field,
        work,
    )
    assert verdict.transformed == frame.height
    assert verdict.transformed == verdict.clean_count + verdict.quarantined + verdict.superseded
    assert read_clean(verdict).height == verdict.clean_count
    assert len(read_quarantine(verdict)) == verdict.quarantined
    return verdict


def read_clean(verdict: TableVerdict) -> pl.DataFrame:
    return pl.read_parquet(verdict.clean)


def read_quarantine(verdict: TableVerdict) -> list[dict[str, Any]]:
    """The quarantined rows with key and row as JSON values."""
    if verdict.quarantine is None:
        return []
    return [
        row | {"key": row["key"] and json.loads(row["key"]), "row": json.loads(row["row"])}
        for row in pl.read_parquet(verdict.quarantine).to_dicts()
    ]


def quarantined_ids(verdict: TableVerdict) -> list[Any]:
    return sorted(row["key"]["id"] for row in read_quarantine(verdict))


def outcome_of(verdict: TableVerdict, expectation: str) -> ExpectationOutcome:
    """The only outcome of that expectation, or rule."""
    [found] = [outcome for outcome in verdict.outcomes if outcome.expectation == expectation]
    return found
