"""Rules of the load's own, told as outcomes beside those of the expectations."""

from tasks.handover import ExpectationOutcome, Severity
from tasks.pipeline import Table


def broken_rule(
    table: Table, rule: str, severity: Severity, *, count: int, rows_seen: int, message: str
) -> ExpectationOutcome:
    """A rule about the whole table that does not hold; a critical one keeps the load from being published."""
    return ExpectationOutcome(
        table=table.name,
        suite=table.suite_name,
        expectation=rule,
        identity=rule,
        column=None,
        severity=severity,
        seen="table",
        state="failed",
        blocks=severity == "critical",
        rows_seen=rows_seen,
        unexpected_count=count,
        message=message,
    )
