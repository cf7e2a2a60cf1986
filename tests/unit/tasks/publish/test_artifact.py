"""The artifact's Markdown: what it says, and that every value stays text."""

import re
from collections.abc import Callable
from html import escape as escape_html
from html import unescape

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tasks.handover import ExpectationOutcome, LoadReport, SchemaChange
from tasks.publish.artifact import escape, render_artifact
from tasks.publish.wording import one_line

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MakeReport = Callable[..., LoadReport]
LINKS = {
    "index": "https://r.test/index.html",
    "load": "https://r.test/l.html",
    "weather": "https://r.test/w.html",
}


def test_blocked_artifact_has_verdict_command_failures_and_counts(make_report: MakeReport) -> None:
    markdown = render_artifact(make_report("blocked"), LINKS)
    assert markdown.startswith(
        "## weather: Blocked: nothing was published. 4 expectations failed on weather."
    )
    assert 'assay accept weather-20260308T030405-1f9c2e --reason "…"' in markdown
    origin = "- [weather](<https://r.test/w.html>) · **origin** · expect_column_values_to_be_in_set · "
    assert origin + "**1 of 48 rows** (critical, blocks) · JKF" in markdown
    assert "observed **28.0** (warning)" in markdown
    assert "[all loads](<https://r.test/index.html>)" in markdown
    assert re.search(r"\| flights \| passed \| 336,776 \|", markdown)


@pytest.mark.parametrize("status", ["published", "failed", "no new rows"])
def test_every_end_has_an_artifact(make_report: MakeReport, status: str) -> None:
    markdown = render_artifact(make_report(status), LINKS)
    assert status in markdown.splitlines()[0].lower()
    assert "accept" not in markdown


def test_values_of_a_hostile_load_stay_text(
    make_report: MakeReport, hostile_outcomes: tuple[ExpectationOutcome, ...]
) -> None:
    report = make_report(
        "blocked", outcomes=hostile_outcomes, tables=(), error="a\n# b\n<img src=x>", accept_reason="`|`"
    )
    markdown = render_artifact(report, {"planes": "https://r.test/a|b>c (d)\n.html"})
    html = MARKDOWN.render(markdown)
    tags = set(re.findall(r"<(\w+)", html))
    known = "h2 h3 p a strong pre code table thead tbody tr th td ul li"
    assert tags <= set(known.split())
    assert html.count("<li>") == len(hostile_outcomes)
    assert "<script>alert(1)</script>" in unescape(html)
    assert "<script>alert(2)</script>" in unescape(html)


@pytest.mark.parametrize(
    "text",
    [
        "<b>",
        "a|b",
        "`x`",
        "**x**",
        "_x_",
        "[l](u)",
        "# h",
        "\\",
        "&lt;",
        "~~x~~",
        "$x$",
        "https://u",
        "![i](u)",
    ],
)
def test_escaped_text_has_no_markup_and_reads_the_same(text: str) -> None:
    assert (
        MARKDOWN.render(escape(text)).strip()
        == f"<p>{escape_html(text, quote=True).replace('&#x27;', chr(39))}</p>"
    )


@given(text=st.text(max_size=200))
@example(text="__0__")
@example(text="a|b\n\n# c\n- d\n===\n1. e")
@example(text="&amp; \\| ``` <!-- <![CDATA[ <a href='x'> ![i](u) http://u www.u.com a@b.c")
def test_any_value_in_a_cell_reads_as_itself(text: str) -> None:
    assume(text.strip())
    html = MARKDOWN.render(f"| a | b |\n| --- | --- |\n| {escape(text)} | end |\n")
    cells = re.findall(r"<td>(.*?)</td>", html, re.DOTALL)
    assert len(cells) == 2
    assert unescape(cells[0]) == one_line(text, 10_000).strip()
    assert "<" not in cells[0]


def test_many_failures_and_long_values_are_bounded(
    make_report: MakeReport, weather_outcomes: tuple[ExpectationOutcome, ...]
) -> None:
    long = msgspec.structs.replace(
        weather_outcomes[3], examples=tuple(f"{n}{'x' * 10_000}" for n in range(20)), message="m" * 10_000
    )
    markdown = render_artifact(make_report("blocked", outcomes=(long,) * 500), {})
    assert "… and 480 more" in markdown
    assert len(markdown) < 30_000


def test_deleted_rows_and_changed_columns_are_shown(make_report: MakeReport) -> None:
    report = make_report("published")
    tables = tuple(msgspec.structs.replace(table, deleted=12_345) for table in report.tables)
    change = SchemaChange(
        table="weather", kind="column widened", column="a|b", before="integer", after="bigint", statement="A"
    )
    report = msgspec.structs.replace(report, tables=tables, schema_changes=(change,))
    markdown = render_artifact(report, {})
    assert "| Deleted |" in markdown
    assert "12,345" in markdown
    assert "weather · **a\\|b** · widened: integer to bigint" in markdown
    assert "Deleted" not in render_artifact(make_report("published"), {})
