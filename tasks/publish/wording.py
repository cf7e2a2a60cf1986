"""The sentences that pages, artifacts and messages share, as plain text; callers escape them."""

from collections.abc import Iterable, Sequence
from typing import Final

from tasks.handover import ExpectationOutcome, LoadReport, SchemaChange, State, Status

EXAMPLE_LENGTH: Final = 100
ERROR_LENGTH: Final = 2000

FAILED_STATES: Final[frozenset[State]] = frozenset({"failed", "error"})
_STATE_ORDER: Final[tuple[State, ...]] = ("error", "failed", "quarantined", "skipped", "passed")
_SEVERITY_ORDER: Final = ("critical", "warning", "info")
_STATUS_WORDS: Final[dict[Status, str]] = {
    "running": "Running",
    "published": "Published",
    "no new rows": "No new rows",
    "blocked": "Blocked",
    "failed": "Failed",
    "crashed": "Crashed",
}


def one_line(text: object, length: int = EXAMPLE_LENGTH) -> str:
    """`text` on one line of at most `length` characters, with what is invisible made visible.

    Line breaks, control characters, bidirectional overrides and lone surrogates become their Python
    escapes: a value must not be able to rearrange the message that quotes it.
    """
    seen = str(text)[: length + 1]
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in seen)
    return shown if len(seen) <= length and len(shown) <= length else shown[: length - 1] + "…"


def sort_outcomes(outcomes: Iterable[ExpectationOutcome]) -> list[ExpectationOutcome]:
    """Outcomes with what needs a person first: errors, failures by severity, quarantined, skipped, passed."""
    return sorted(
        outcomes,
        key=lambda o: (
            not o.blocks,
            _STATE_ORDER.index(o.state),
            _SEVERITY_ORDER.index(o.severity),
            o.table,
            o.column or "",
        ),
    )


def failed_outcomes(report: LoadReport) -> list[ExpectationOutcome]:
    """The outcomes in state failed or error, or that block the load, worst first."""
    return [o for o in sort_outcomes(report.outcomes) if o.state in FAILED_STATES or o.blocks]


def tables_of(report: LoadReport) -> list[str]:
    """Names of the tables that the attempt touched, in the order of its counts."""
    return list(dict.fromkeys([*(t.table for t in report.tables), *(o.table for o in report.outcomes)]))


def count(number: int, noun: str) -> str:
    """`1 row`, `26,115 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def join(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def state_verdict(report: LoadReport) -> str:
    """The attempt's end in a sentence or two: `Blocked: nothing was published. 1 expectation failed on …`."""
    sentences = f"{_STATUS_WORDS[report.status]}: {headline(report)}. {state_reasons(report)}"
    return sentences.rstrip()


def headline(report: LoadReport) -> str:
    """What the attempt did to the tables: `nothing was published`, `26,111 inserted and 1 quarantined`."""
    if report.status == "published":
        return _state_rows(report)
    if report.status == "no new rows":
        return "the API sent nothing that is not published already"
    return "nothing was published"


def state_reasons(report: LoadReport) -> str:
    """Why it ended so, as far as expectations and people are the reason; may be empty."""
    failed = failed_outcomes(report)
    sentences = []
    if failed:
        tables = sorted({outcome.table for outcome in failed})
        sentences.append(f"{count(len(failed), 'expectation')} failed on {join(tables)}.")
    if report.accepted_by:
        sentences.append(f"Accepted by {report.accepted_by}.")
    return " ".join(sentences)


def describe_outcome(outcome: ExpectationOutcome) -> str:
    """What was expected of what: `expect_column_values_to_be_between on wind_speed`."""
    columns = describe_columns(outcome)
    return f"{outcome.expectation} on {columns}" if columns else outcome.expectation


def describe_columns(outcome: ExpectationOutcome) -> str:
    """The column or columns that the expectation is about; empty when it is the table as a whole."""
    if outcome.column:
        return outcome.column
    kwargs = (outcome.result.get("expectation_config") or {}).get("kwargs") or {}
    pair = [kwargs[name] for name in ("column_A", "column_B") if name in kwargs]
    return ", ".join(map(str, pair or kwargs.get("column_list") or []))


def describe_extent(outcome: ExpectationOutcome) -> str:
    """How far the outcome reaches: `1 of 26,115 rows`; empty when no rows can be counted."""
    if not outcome.unexpected_count:
        return ""
    return f"{outcome.unexpected_count:,} of {count(outcome.rows_seen, 'row')}"


def pick_examples(outcome: ExpectationOutcome, limit: int) -> list[str]:
    """Up to `limit` different examples, each one line and bounded."""
    return list(dict.fromkeys(one_line(example) for example in outcome.examples))[:limit]


def next_step(report: LoadReport) -> str:
    """What a person does now; empty when there is nothing to do."""
    if report.status == "blocked":
        return (
            "The next run takes this load up again. Wrong data: have the source corrected. "
            "Wrong suite: correct it. To publish this load as it is:"
        )
    if report.status in {"failed", "crashed"}:
        return "Mend the cause, then run again; nothing is lost or loaded twice:"
    if report.status == "published" and any(o.state in FAILED_STATES for o in report.outcomes):
        return "The rows are in the tables. Look at the examples, and correct the source or the suite."
    if report.status == "published" and any(t.newly_quarantined for t in report.tables):
        return (
            "Rows in quarantine are in assay.quarantine with their reasons; a later good version closes them."
        )
    return ""


def next_command(report: LoadReport) -> str:
    """The command that goes with `next_step`, or nothing."""
    if report.status == "blocked":
        return f'assay accept {report.load_id} --reason "…"'
    if report.status in {"failed", "crashed"}:
        return f"assay run {report.pipeline}"
    return ""


def describe_change(change: SchemaChange) -> str:
    """What happened to a column, and its types."""
    types = " to ".join(kind for kind in (change.before, change.after) if kind)
    return f"{change.kind.removeprefix('column ')}: {types}"


def _state_rows(report: LoadReport) -> str:
    parts = [
        f"{number:,} {word}"
        for word, number in (
            ("inserted", sum(t.inserted for t in report.tables)),
            ("updated", sum(t.updated for t in report.tables)),
            ("deleted", sum(t.deleted for t in report.tables)),
            ("unchanged", sum(t.unchanged for t in report.tables)),
            ("quarantined", sum(t.quarantined for t in report.tables)),
        )
        if number
    ]
    return join(parts) if parts else "no rows"
