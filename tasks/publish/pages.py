"""The pages of one attempt at a load: one for the load, one for each table.

The words and numbers of an expectation are Great Expectations' own, the frame around them is ours. GX is
imported when a result is rendered, not with this module, and that takes seconds.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.handover import ExpectationOutcome, LoadReport, State, TableCounts
from tasks.publish.paths import load_page, table_page
from tasks.publish.templates import render_template
from tasks.publish.wording import (
    FAILED_STATES,
    describe_columns,
    failed_outcomes,
    headline,
    next_command,
    next_step,
    one_line,
    sort_outcomes,
    state_reasons,
    tables_of,
)

if TYPE_CHECKING:
    from tasks.publish.gx_content import RenderedResult


class Finding(NamedTuple):
    """One outcome as a page shows it; `rendered` is GX's, None when there is none or GX failed at it."""

    outcome: ExpectationOutcome
    anchor: str
    where: str
    weight: str
    declaration: str
    rendered: "RenderedResult | None"
    trouble: str | None


class Group(NamedTuple):
    """Findings under one heading."""

    title: str
    kind: str
    findings: Sequence[Finding]


def render_load_pages(report: LoadReport) -> dict[str, str]:
    """Relative path → HTML: the page of the attempt and one for each table that it touched."""
    findings = [
        _find(outcome, f"e{number}", is_accepted=report.accepted_by is not None)
        for number, outcome in enumerate(sort_outcomes(report.outcomes), start=1)
    ]
    counts = {table.table: table for table in report.tables}
    tables = tables_of(report)
    pages = {load_page(report.load_id, report.attempt_no): _render_load(report, tables, findings)}
    for table in tables:
        own = [finding for finding in findings if finding.outcome.table == table]
        path = table_page(report.load_id, report.attempt_no, table)
        pages[path] = _render_table(report, table, counts.get(table), own)
    return pages


def _render_load(report: LoadReport, tables: Sequence[str], findings: Sequence[Finding]) -> str:
    return render_template(
        "load.html",
        report=report,
        headline=headline(report),
        reasons=state_reasons(report),
        tone="mixed" if report.status == "published" and failed_outcomes(report) else report.status,
        step=next_step(report),
        command=next_command(report),
        groups=[group for group in _group(findings) if group.kind != "passed"],
        links=_table_links(report, tables),
    )


def _render_table(
    report: LoadReport, table: str, counts: TableCounts | None, findings: Sequence[Finding]
) -> str:
    return render_template(
        "table.html",
        report=report,
        table=table,
        counts=counts,
        suites=sorted({finding.outcome.suite for finding in findings}),
        groups=_group(findings),
        links=_table_links(report, [table]),
    )


def _group(findings: Sequence[Finding]) -> list[Group]:
    groups: list[tuple[str, str, frozenset[State]]] = [
        ("Failed expectations", "failed", FAILED_STATES),
        ("Diverted to quarantine", "quarantined", frozenset({"quarantined"})),
        ("Skipped", "skipped", frozenset({"skipped"})),
        ("Passed", "passed", frozenset({"passed"})),
    ]
    made = [
        Group(title=title, kind=kind, findings=[f for f in findings if f.outcome.state in states])
        for title, kind, states in groups
    ]
    return [group for group in made if group.findings]


def _find(outcome: ExpectationOutcome, anchor: str, *, is_accepted: bool) -> Finding:
    config = outcome.result.get("expectation_config") or {}
    kwargs = {name: value for name, value in (config.get("kwargs") or {}).items() if name != "batch_id"}
    rendered, trouble = _render(outcome)
    return Finding(
        outcome=outcome,
        anchor=anchor,
        where=describe_columns(outcome) or "whole table",
        weight=_weigh(outcome, is_accepted=is_accepted),
        declaration=_declare(outcome, config, kwargs),
        rendered=rendered,
        trouble=trouble,
    )


def _render(outcome: ExpectationOutcome) -> "tuple[RenderedResult | None, str | None]":
    if not outcome.result:
        return None, None
    from tasks.publish.gx_content import render_result  # noqa: PLC0415 - importing GX takes seconds

    try:
        return render_result(outcome.result), None
    except Exception as exc:  # noqa: BLE001 - the page about a failure must come out, whatever GX chokes on
        return None, one_line(f"{type(exc).__name__}: {exc}", 300)


def _weigh(outcome: ExpectationOutcome, *, is_accepted: bool) -> str:
    parts: list[str] = [outcome.severity]
    if outcome.blocks:
        parts.append("blocked the load" if is_accepted else "blocks the load")
    if not outcome.alert:
        parts.append("as in the attempt before")
    return ", ".join(parts)


def _declare(outcome: ExpectationOutcome, config: Mapping[str, Any], kwargs: Mapping[str, Any]) -> str:
    declared = {"type": outcome.expectation, "kwargs": kwargs, "severity": outcome.severity}
    declared |= {name: config[name] for name in ("meta", "notes") if config.get(name)}
    return json.dumps(declared, indent=2, ensure_ascii=False, default=str)


def _table_links(report: LoadReport, tables: Sequence[str]) -> dict[str, str]:
    return {
        table: table_page(report.load_id, report.attempt_no, table).rsplit("/", 1)[-1] for table in tables
    }
