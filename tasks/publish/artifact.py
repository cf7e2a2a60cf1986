"""The report as a Prefect artifact: Markdown, in which every value from outside is text and nothing else."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tasks.handover import ExpectationOutcome, LoadReport, SchemaChange, TableCounts
from tasks.publish.wording import (
    ERROR_LENGTH,
    describe_change,
    describe_columns,
    describe_extent,
    failed_outcomes,
    next_command,
    next_step,
    one_line,
    pick_examples,
    sort_outcomes,
    state_verdict,
)

_EXAMPLES: Final = 5
_OUTCOMES: Final = 20
# ASCII punctuation that Markdown may take for structure; not what joins words, nor a colon in a sentence.
_MARKUP: Final = re.compile(
    r"(?<=[^\W_])[_-](?=[^\W_])|:(?=\s|$)|(?<=www)(\.)|([-!#$&*+:<=>@[\\\]^_`{|}~])", re.IGNORECASE
)
_COUNTS: Final = (
    "received",
    "rejected",
    "quarantined",
    "superseded",
    "inserted",
    "updated",
    "deleted",
    "unchanged",
)
_RARE: Final = frozenset({"rejected", "quarantined", "superseded", "deleted"})


def render_artifact(report: LoadReport, links: Mapping[str, str]) -> str:
    """The attempt as Markdown: verdict, next step, failed expectations, counts per table, links.

    Args:
        report: The attempt.
        links: Addresses of its pages, as `publish_report` returns them.
    """
    sections = [
        f"## {escape(report.pipeline)}: {escape(state_verdict(report))}",
        _render_facts(report, links),
        _render_next_step(report),
        f"**Error** {escape(one_line(report.error, ERROR_LENGTH))}" if report.error else "",
        _render_outcomes("Failed expectations", failed_outcomes(report), links),
        _render_outcomes("Diverted to quarantine", _diverting_outcomes(report), links),
        _render_counts(report.tables, links),
        _render_changes(report.schema_changes),
        _render_reports(report.reports),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def escape(text: str) -> str:
    """`text` as Markdown that shows exactly it, in a paragraph or a table cell.

    By backslashes, which CommonMark, GitHub's tables and both user interfaces of Prefect 3.8 undo; the first
    of the two shows a character reference like `&#60;` as it is written.
    """
    shown = one_line(text, 10 * ERROR_LENGTH)
    return _MARKUP.sub(lambda match: f"\\{match[0]}" if match.lastindex else match[0], shown)


def _render_facts(report: LoadReport, links: Mapping[str, str]) -> str:
    facts = [
        f"Load {escape(report.load_id)}, attempt {report.attempt_no}",
        f"{report.started_at:%Y-%m-%d %H:%M:%S} to {report.ended_at:%H:%M:%S}",
    ]
    if report.accept_reason:
        facts.append(f"reason for accepting: {escape(report.accept_reason)}")
    facts.extend(_link(title, links.get(key)) for key, title in (("load", "report"), ("index", "all loads")))
    return " · ".join(fact for fact in facts if fact)


def _render_next_step(report: LoadReport) -> str:
    step, command = next_step(report), next_command(report)
    if not step:
        return ""
    fence = f"\n\n```sh\n{one_line(command, 300).replace('`', '')}\n```" if command else ""
    return f"**Next** {escape(step)}{fence}"


def _render_outcomes(title: str, outcomes: Sequence[ExpectationOutcome], links: Mapping[str, str]) -> str:
    if not outcomes:
        return ""
    # A list, because the interface never breaks the lines of a table: examples would be out of sight.
    lines = [_render_outcome(outcome, links) for outcome in outcomes[:_OUTCOMES]]
    if len(outcomes) > _OUTCOMES:
        lines.append(f"… and {len(outcomes) - _OUTCOMES} more")
    return f"### {title}\n\n" + "\n".join(f"- {line}" for line in lines)


def _render_outcome(outcome: ExpectationOutcome, links: Mapping[str, str]) -> str:
    table = _link(escape(outcome.table), links.get(outcome.table)) or escape(outcome.table)
    columns = describe_columns(outcome)
    where = f"{table} · **{escape(one_line(columns))}**" if columns else table
    severity = f"{outcome.severity}, blocks" if outcome.blocks else outcome.severity
    examples = ", ".join(escape(example) for example in pick_examples(outcome, _EXAMPLES))
    told = f"{where} · {escape(outcome.expectation)} · {_describe_finding(outcome)} ({severity})"
    return f"{told} · {examples}" if examples else told


def _render_counts(tables: Sequence[TableCounts], links: Mapping[str, str]) -> str:
    if not tables:
        return ""
    # What is 0 everywhere is left out where it can be: the interface has room for seven columns.
    shown = [n for n in _COUNTS if n not in _RARE or any(getattr(table, n) for table in tables)]
    rows = [
        (
            _link(escape(table.table), links.get(table.table)) or escape(table.table),
            table.verdict,
            *(f"{getattr(table, name):,}" for name in shown),
            f"{table.expectations_passed} of {table.expectations}",
        )
        for table in tables
    ]
    header = ("Table", "Verdict", *(name.capitalize() for name in shown), "Passed")
    return f"### Rows\n\n{_render_table(header, rows, numbers_from=2)}"


def _render_changes(changes: Sequence[SchemaChange]) -> str:
    if not changes:
        return ""
    lines = [
        f"- {escape(change.table)} · **{escape(one_line(change.column or '-'))}** · "
        f"{escape(describe_change(change))}"
        for change in changes
    ]
    return "### Columns that changed\n\n" + "\n".join(lines)


def _render_reports(reports: Mapping[str, int]) -> str:
    rows = [(escape(name), f"{rows:,}") for name, rows in reports.items()]
    return (
        f"### Reporting tables\n\n{_render_table(('Table', 'Rows written'), rows, numbers_from=1)}"
        if rows
        else ""
    )


def _render_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int | None = None
) -> str:
    right = len(header) if numbers_from is None else numbers_from
    rule = ["---" if at < right else "---:" for at in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def _diverting_outcomes(report: LoadReport) -> list[ExpectationOutcome]:
    return [o for o in sort_outcomes(report.outcomes) if o.state == "quarantined" and not o.blocks]


def _describe_finding(outcome: ExpectationOutcome) -> str:
    if outcome.state == "error":
        return f"could not be evaluated: {escape(one_line(outcome.message or 'no reason given', 300))}"
    observed = (outcome.result.get("result") or {}).get("observed_value")
    if extent := describe_extent(outcome):
        return f"**{extent}**"
    if outcome.message or observed is None:
        return escape(one_line(outcome.message or outcome.state, 300))
    return f"observed **{escape(one_line(observed))}**"


def _link(text: str, url: str | None) -> str:
    # Without these characters nothing in an address can end the link, or the table cell that it is in.
    return f"[{text}](<{re.sub(r'[^!-~]|[<>|]', '', url)}>)" if url else ""
