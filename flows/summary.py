"""What the command line shows of a load: a table a person reads at a glance."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tasks.handover import ExpectationOutcome, LoadLine, LoadReport, State, Status

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
    """Per table: received, loaded, quarantined, expectations passed; then what failed, and the report."""
    style = STATUS_STYLE[report.status]
    seconds = (report.ended_at - report.started_at).total_seconds()
    console.print(f"\n{report.pipeline}: [{style}]{report.status}[/] in {seconds:.1f} s  ({report.load_id})")
    if report.tables:
        console.print(_tables(report))
    for outcome in report.outcomes:
        if outcome.state != "passed":
            console.print(_finding(outcome), soft_wrap=True)
    console.print(f"report: {report_url}", soft_wrap=True)


def _tables(report: LoadReport) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("table")
    for name in ("received", "inserted", "updated", "unchanged", "quarantined"):
        table.add_column(name, justify="right")
    table.add_column("expectations passed", justify="right")
    table.add_column("verdict")
    for count in report.tables:
        numbers = (count.received, count.inserted, count.updated, count.unchanged)
        table.add_row(
            count.table,
            *(f"{number:,}" for number in numbers),
            f"{count.quarantined + count.rejected:,}",
            f"{count.expectations_passed} of {count.expectations}",
            count.verdict,
        )
    for name, rows in report.reports.items():
        table.add_row(name, "", "", f"{rows:,}", "", "", "", "computed", style="dim")
    return table


def _finding(outcome: ExpectationOutcome) -> str:
    where = f"{outcome.table}.{outcome.column}" if outcome.column else outcome.table
    examples = f": {', '.join(outcome.examples[:3])}" if outcome.examples else ""
    detail = outcome.message if outcome.message and not outcome.unexpected_count else None
    count = detail or f"{outcome.unexpected_count:,} of {outcome.rows_seen:,} rows{examples}"
    style = STATE_STYLE[outcome.state]
    shown = escape(f"{where} {outcome.expectation}: {count[:200]}")
    return f"[{style}]{outcome.state}[/] ({outcome.severity}) {shown}"


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
    """A suite's verdict on a file, one line an expectation."""
    table = Table(box=None, pad_edge=False)
    for name in ("", "expectation", "column", "severity"):
        table.add_column(name)
    table.add_column("unexpected", justify="right")
    table.add_column("examples", overflow="ellipsis", no_wrap=True, max_width=60)
    for outcome in outcomes:
        table.add_row(
            f"[{STATE_STYLE[outcome.state]}]{outcome.state}[/]",
            outcome.expectation,
            escape(outcome.column or ""),
            outcome.severity,
            f"{outcome.unexpected_count:,}" if outcome.unexpected_count else "",
            escape(", ".join(outcome.examples[:5]) or (outcome.message or "")),
        )
    console.print(table)
