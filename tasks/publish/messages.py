"""The human messages of events: plain text, a few lines, ready to be sent as they are."""

from typing import Final

from tasks.handover import ExpectationOutcome, LoadReport
from tasks.publish.wording import (
    describe_extent,
    describe_outcome,
    next_command,
    next_step,
    one_line,
    pick_examples,
    state_verdict,
)

EXAMPLES: Final = 5
_LINE: Final = 300


def write_load_message(report: LoadReport, url: str | None, *, recovered: bool = False) -> str:
    """How a load ended, why, and what to do."""
    head = "Recovered. " if recovered else ""
    lines = [f"{report.pipeline}: {head}{state_verdict(report)}"]
    if report.error:
        lines.append(f"Error: {one_line(report.error, _LINE)}")
    return "\n".join([*lines, *_closing_lines(report, url)])


def write_outcome_message(outcome: ExpectationOutcome, report: LoadReport, url: str | None) -> str:
    """What one expectation found: where, how many, up to five examples, and what to do."""
    where = one_line(f"{report.pipeline}.{outcome.table}: {describe_outcome(outcome)}", _LINE)
    lines = [f"{where} {_state_finding(outcome)}", f"Severity {outcome.severity}: {_effect(outcome, report)}"]
    if outcome.message:
        lines.append(one_line(outcome.message, _LINE))
    if outcome.examples:
        lines.append(f"Examples: {', '.join(pick_examples(outcome, EXAMPLES))}")
    return "\n".join([*lines, *_closing_lines(report, url)])


def _state_finding(outcome: ExpectationOutcome) -> str:
    extent = describe_extent(outcome)
    if outcome.state == "quarantined":
        return f"diverted {extent or 'rows'} to quarantine."
    if outcome.state == "error":
        return "could not be evaluated."
    return f"failed on {extent}." if extent else "failed."


def _effect(outcome: ExpectationOutcome, report: LoadReport) -> str:
    if outcome.blocks and report.accepted_by:
        return f"blocked the load until {report.accepted_by} accepted it."
    if outcome.blocks:
        return "blocks the load, nothing of it is published."
    if report.status != "published":
        return "does not block by itself; the load is not published for other reasons."
    if outcome.state == "quarantined":
        return "within its budget, all other rows are published."
    return "does not block, the load is published."


def _closing_lines(report: LoadReport, url: str | None) -> list[str]:
    step, command = next_step(report), next_command(report)
    lines = [f"Next: {step}"] if step else []
    if command:
        lines.append(f"  {command}")
    if url:
        lines.append(f"Report: {url}")
    return lines
