"""What the command line shows of a load: a table a person reads at a glance."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tasks.handover import ExpectationOutcome, LoadLine, LoadReport, State, Status

FINDINGS = 12
STATUS_STYLE: Mapping[Status, str] = {
    "running": "cyan",
    "published": "green",
    "no new rows": "green",
    "blocked": "bold red",
    "failed": "bold red",
    "crashed": "red",
}
STATE_STYLE: Mapping[State, str] = {
    "passed": "green",
    "quarantined": "yellow",
    "failed": "red",
    "error": "bold red",
    "skipped": "dim",
}


def print_report(console: Console, report: LoadReport, report_url: str) -> None:
    """Per table: received, loaded, quarantined, expectations passed; then what was found, and the report."""
    style = STATUS_STYLE[report.status]
    seconds = (report.ended_at - report.started_at).total_seconds()
    console.print(f"\n{report.pipeline}: [{style}]{report.status}[/] in {seconds:.1f} s  ({report.load_id})")
    if report.tables and report.status != "no new rows":
        console.print(_tables(report))
    found = sorted((o for o in report.outcomes if o.state != "passed"), key=_by_urgency)
    if found:
        console.print()
        print_outcomes(console, found[:FINDINGS])
        if len(found) > FINDINGS:
            console.print(f"and {len(found) - FINDINGS} more in the report", style="dim")
    console.print(f"\nreport: {report_url}", soft_wrap=True)


def _by_urgency(outcome: ExpectationOutcome) -> tuple[bool, int, int]:
    """What blocks, then what was diverted, then failures by severity."""
    return (
        not outcome.blocks,
        outcome.state != "quarantined",
        ("critical", "warning", "info").index(outcome.severity),
    )


def _tables(report: LoadReport) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("table")
    names = ["received", "inserted", "updated", "deleted", "unchanged"]
    if not any(count.deleted for count in report.tables):
        names.remove("deleted")
    for name in (*names, "quarantined"):
        table.add_column(name, justify="right")
    table.add_column("expectations passed", justify="right")
    table.add_column("verdict")
    for count in report.tables:
        table.add_row(
            count.table,
            *(f"{getattr(count, name):,}" for name in names),
            f"{count.quarantined + count.rejected:,}",
            f"{count.expectations_passed} of {count.expectations}",
            count.verdict,
        )
    for name, rows in report.reports.items():
        written = [f"{rows:,}" if column == "updated" else "" for column in names]
        table.add_row(name, *written, "", "", "computed", style="dim")
    return table


def print_lines(console: Console, lines: Sequence[LoadLine]) -> None:
    """The latest attempts, newest first; why, for those that went wrong."""
    table = Table(box=None, pad_edge=False)
    for name in ("pipeline", "started (UTC)", "status", "load"):
        table.add_column(name, no_wrap=True)
    for name in ("received", "written", "quarantined", "passed"):
        table.add_column(name, justify="right")
    for line in lines:
        table.add_row(
            line.pipeline,
            f"{line.started_at:%Y-%m-%d %H:%M:%S}",
            f"[{STATUS_STYLE[line.status]}]{line.status}[/]",
            line.load_id,
            f"{line.received:,}",
            f"{line.inserted + line.updated:,}",
            f"{line.quarantined:,}",
            f"{line.expectations_passed} of {line.expectations}",
        )
    console.print(table)
    for line in lines[:1]:
        if line.error:
            console.print(f"\n[red]{escape(line.error)}[/]")


def print_outcomes(console: Console, outcomes: Sequence[ExpectationOutcome]) -> None:
    """What expectations found, one line each."""
    table = Table(box=None, pad_edge=False)
    for name in ("outcome", "severity", "column", "expectation"):
        table.add_column(name, no_wrap=True)
    table.add_column("unexpected", justify="right", no_wrap=True)
    table.add_column("for example", overflow="ellipsis", no_wrap=True, max_width=48)
    for outcome in outcomes:
        table.add_row(
            f"[{STATE_STYLE[outcome.state]}]{outcome.state}[/]",
            outcome.severity,
            escape(".".join(filter(None, (outcome.table, outcome.column)))),
            outcome.expectation.removeprefix("expect_").removeprefix("column_values_"),
            f"{outcome.unexpected_count:,} of {outcome.rows_seen:,}" if outcome.unexpected_count else "",
            escape(", ".join(dict.fromkeys(outcome.examples)) or outcome.message or ""),
        )
    console.print(table)
