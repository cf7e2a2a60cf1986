"""Outcomes: what GX says of an expectation, and what that means at the gate."""

from typing import Any

from great_expectations.core import ExpectationValidationResult

from tasks.handover import ExpectationOutcome, Seen, Severity, State
from tasks.validate.quarantine import name_columns
from tasks.validate.suites import Diverting, GatedSuite, identify

EXAMPLES = 20


def judge_result(
    suite: GatedSuite, result: ExpectationValidationResult, *, rows_seen: int, seen: Seen
) -> ExpectationOutcome:
    """An expectation about the batch: it passed, or failed at its severity."""
    state: State = "passed" if result.success else "failed"
    return _outcome(suite, result, rows_seen=rows_seen, seen=seen, state=state)


def judge_diverting(
    suite: GatedSuite, diverting: Diverting, result: ExpectationValidationResult, *, rows_seen: int
) -> ExpectationOutcome:
    """An expectation that diverts rows: within its budget when `mostly` or `max_rows` holds."""
    unexpected = _unexpected_count(result)
    is_within = bool(result.success) or unexpected <= diverting.max_rows
    state: State = "failed" if not is_within else "quarantined" if unexpected else "passed"
    return _outcome(suite, result, rows_seen=rows_seen, seen="remaining", state=state)


def judge_rule(
    suite: GatedSuite,
    rule: str,
    *,
    count: int,
    budget: int,
    rows_seen: int,
    message: str,
    examples: tuple[str, ...] = (),
) -> ExpectationOutcome:
    """A rule of assay's own, critical by nature: so many rows break it, so many may."""
    is_exceeded = count > budget
    return ExpectationOutcome(
        table=suite.table,
        suite=suite.name,
        expectation=rule,
        identity=rule,
        column=None,
        severity="critical",
        seen="remaining",
        state="failed" if is_exceeded else "quarantined",
        blocks=is_exceeded,
        rows_seen=rows_seen,
        unexpected_count=count,
        examples=examples,
        message=f"{message}; at most {budget} may",
    )


def _outcome(
    suite: GatedSuite, result: ExpectationValidationResult, *, rows_seen: int, seen: Seen, state: State
) -> ExpectationOutcome:
    as_json: Any = result.to_json_dict()
    config = as_json["expectation_config"]
    error = _error_message(result)
    severity: Severity = config.get("severity", "critical")
    diverts = "quarantine" in (config.get("meta") or {})
    return ExpectationOutcome(
        table=suite.table,
        suite=suite.name,
        expectation=config["type"],
        identity=identify(config),
        column=name_columns(config["kwargs"]),
        severity=severity,
        seen=seen,
        state="error" if error else state,
        # Rows that could not be sorted must not pass as clean, whatever the severity.
        blocks=(state == "failed" and severity == "critical") or (error is not None and diverts),
        rows_seen=rows_seen,
        unexpected_count=_unexpected_count(result),
        examples=tuple(str(v) for v in (as_json["result"].get("partial_unexpected_list") or [])[:EXAMPLES]),
        message=f"Could not be evaluated: {error}" if error else _describe(as_json, state),
        result=as_json,
    )


def _unexpected_count(result: ExpectationValidationResult) -> int:
    return int(result.result.get("unexpected_count") or 0)


def _describe(as_json: dict[str, Any], state: State) -> str | None:
    observed = as_json["result"].get("observed_value")
    return f"observed {observed}" if state == "failed" and observed is not None else None


def _error_message(result: ExpectationValidationResult) -> str | None:
    info = result.exception_info or {}
    # One exception of the whole expectation, or one for each of its metrics.
    raised = [info] if "raised_exception" in info else [v for v in info.values() if isinstance(v, dict)]
    messages = [str(i.get("exception_message")) for i in raised if i.get("raised_exception")]
    return messages[0] if messages else None
