"""What happened to a load, as events for automations.

An automation matches resource labels only, never the payload: what people filter by is a label, what they
read is in the payload, bounded, with `text` ready to be sent.
"""

from collections.abc import Mapping
from typing import Any, Final

from tasks.handover import Event, ExpectationOutcome, LoadReport, SchemaChange
from tasks.publish.messages import EXAMPLES, write_load_message, write_outcome_message
from tasks.publish.wording import ERROR_LENGTH, FAILED_STATES, one_line, pick_examples

_LOAD_EVENTS: Final = {
    "published": "assay.load.published",
    "blocked": "assay.load.blocked",
    "failed": "assay.load.failed",
    "crashed": "assay.load.failed",
}


def events_of(report: LoadReport, links: Mapping[str, str]) -> list[Event]:
    """The events of one attempt: expectations that failed or diverted rows, changed columns, then the load's.

    `deployments/automations.yaml` is written against these names and labels. A load without new rows is no
    event, unless it is the recovery.

    Args:
        report: The attempt.
        links: Addresses of its pages, as `publish_report` returns them.
    """
    newly = {table.table for table in report.tables if table.newly_quarantined > 0}
    events = []
    for outcome in report.outcomes:
        if outcome.state in FAILED_STATES:
            events.append(_outcome_event("assay.expectation.failed", outcome, report, links))
        elif outcome.state == "quarantined" and outcome.table in newly:
            events.append(_outcome_event("assay.rows.quarantined", outcome, report, links))
    events += [_schema_event(change, report, links) for change in report.schema_changes]
    if report.status in _LOAD_EVENTS:
        events.append(_load_event(_LOAD_EVENTS[report.status], report, links))
    if report.recovered:
        events.append(_load_event("assay.load.recovered", report, links))
    return events


def _load_event(name: str, report: LoadReport, links: Mapping[str, str]) -> Event:
    url = links.get("load")
    return Event(
        name=name,
        resource_id=f"assay.pipeline.{report.pipeline}",
        labels=_load_labels(report, alert=report.alert),
        payload={
            "text": write_load_message(report, url, recovered=name == "assay.load.recovered"),
            **_load_payload(report, url),
            "status": report.status,
            "error": one_line(report.error, ERROR_LENGTH) if report.error else None,
            "inserted": sum(t.inserted for t in report.tables),
            "updated": sum(t.updated for t in report.tables),
            "deleted": sum(t.deleted for t in report.tables),
            "quarantined": sum(t.quarantined for t in report.tables),
            "failed_expectations": sum(o.state in FAILED_STATES for o in report.outcomes),
        },
    )


def _outcome_event(
    name: str, outcome: ExpectationOutcome, report: LoadReport, links: Mapping[str, str]
) -> Event:
    url = links.get(outcome.table) or links.get("load")
    return Event(
        name=name,
        resource_id=f"assay.table.{report.pipeline}.{outcome.table}",
        labels={
            **_load_labels(report, alert=outcome.alert),
            "assay.table": _label(outcome.table),
            "assay.suite": _label(outcome.suite),
            "assay.expectation": _label(outcome.expectation),
            "assay.column": _label(outcome.column),
            "assay.severity": outcome.severity,
            "assay.state": outcome.state,
        },
        payload={
            "text": write_outcome_message(outcome, report, url),
            **_load_payload(report, url),
            "table": outcome.table,
            "suite": outcome.suite,
            "expectation": outcome.expectation,
            "column": one_line(outcome.column) if outcome.column else None,
            "severity": outcome.severity,
            "state": outcome.state,
            "count": outcome.unexpected_count,
            "rows_seen": outcome.rows_seen,
            "examples": pick_examples(outcome, EXAMPLES),
            "message": one_line(outcome.message, ERROR_LENGTH) if outcome.message else None,
        },
    )


def _schema_event(change: SchemaChange, report: LoadReport, links: Mapping[str, str]) -> Event:
    url = links.get(change.table) or links.get("load")
    what = " to ".join(kind for kind in (change.before, change.after) if kind)
    return Event(
        name="assay.schema.changed",
        resource_id=f"assay.table.{report.pipeline}.{change.table}",
        labels={
            **_load_labels(report, alert=True),
            "assay.table": _label(change.table),
            "assay.column": _label(change.column),
            "assay.change": change.kind,
        },
        payload={
            "text": one_line(
                f"{report.pipeline}.{change.table}: {change.kind}: {change.column} ({what})", ERROR_LENGTH
            ),
            **_load_payload(report, url),
            "table": change.table,
            "column": change.column and one_line(change.column),
            "change": change.kind,
            "before": change.before,
            "after": change.after,
            "statement": change.statement,
        },
    )


def _load_labels(report: LoadReport, *, alert: bool) -> dict[str, str]:
    return {
        "assay.pipeline": _label(report.pipeline),
        "assay.load": _label(report.load_id),
        "assay.alert": "first" if alert else "repeat",
    }


def _load_payload(report: LoadReport, url: str | None) -> dict[str, Any]:
    return {
        "pipeline": report.pipeline,
        "load_id": report.load_id,
        "attempt_no": report.attempt_no,
        "report_url": url,
        "run_url": report.run_url,
    }


def _label(value: str | None) -> str:
    """A label's value: one line, never empty; `-` is none."""
    return one_line(value) if value and value.strip() else "-"
