"""Report pages: what they say, that they open offline, and that no value comes out live."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tasks.handover import ExpectationOutcome, LoadReport, SchemaChange
from tasks.publish.pages import render_load_pages
from tasks.timings import Span

LOAD_ID = "weather-20260308T030405-1f9c2e"
LOAD_PAGE = f"loads/{LOAD_ID}/1/index.html"
WEATHER_PAGE = f"loads/{LOAD_ID}/1/weather.html"
MakeReport = Callable[..., LoadReport]
ReadPage = Callable[[str], Any]
Outcomes = tuple[ExpectationOutcome, ...]


@pytest.fixture
def hostile_report(make_report: MakeReport, hostile_outcomes: Outcomes) -> LoadReport:
    return make_report(
        "blocked",
        tables=(),
        outcomes=hostile_outcomes,
        error="<script>alert(11)</script>",
        run_url="javascript:alert(12)",
        accepted_by="<script>alert(13)</script>",
        accept_reason="<img src=x onerror=alert(14)>",
        reports={"<script>alert(15)</script>": 1},
    )


def test_one_page_for_the_load_and_one_for_each_table(make_report: MakeReport) -> None:
    assert set(render_load_pages(make_report("published"))) == {
        LOAD_PAGE,
        WEATHER_PAGE,
        f"loads/{LOAD_ID}/1/flights.html",
    }


def test_no_value_of_a_hostile_load_comes_out_live(hostile_report: LoadReport, read_page: ReadPage) -> None:
    for html in render_load_pages(hostile_report).values():
        page = read_page(html)
        assert {"script", "iframe", "object", "img", "base", "form"}.isdisjoint(
            tag for tag, _ in page.elements
        )
        assert not [attrs for _, attrs in page.elements if any(name.startswith("on") for name in attrs)]
        assert not [link for link in page.links() if link.startswith("javascript:")]


def test_hostile_values_are_readable_as_text(hostile_report: LoadReport, read_page: ReadPage) -> None:
    load, planes = (read_page(html).text for html in render_load_pages(hostile_report).values())
    for text in ("alert(1)", "alert(2)", "alert(11)", "alert(13)", "alert(15)"):
        assert f"<script>{text}</script>" in load
    for number in (1, 2, 3, 5, 6, 7, 8, 9, 10):
        assert f"<script>alert({number})</script>" in planes
    assert "a|b `x` **bold**" in planes


def test_pages_load_nothing_from_outside(make_report: MakeReport, read_page: ReadPage) -> None:
    report = make_report("blocked")
    for html in render_load_pages(report).values():
        outside = [link for link in read_page(html).links() if "://" in link.split("?")[0]]
        assert [link for link in outside if link != report.run_url and not link.startswith("data:")] == []
        assert "Content-Security-Policy" in html


def test_table_page_has_the_words_and_numbers_of_gx(make_report: MakeReport, read_page: ReadPage) -> None:
    text = " ".join(read_page(render_load_pages(make_report("blocked"))[WEATHER_PAGE]).text.split())
    assert "origin values must belong to this set: EWR JFK LGA." in text
    assert "1 unexpected values found. ≈2.083% of 48 total rows." in text
    assert "1048.36058" in text
    assert "Must have greater than or equal to 1 and less than or equal to 50000 rows." in text


def test_blocked_page_leads_with_failures_and_the_next_command(
    make_report: MakeReport, read_page: ReadPage
) -> None:
    text = read_page(render_load_pages(make_report("blocked"))[LOAD_PAGE]).text
    marks = [
        "blocked",
        "Nothing was published",
        f"assay accept {LOAD_ID} --reason",
        "JKF",
        "1048.36058",
        "Rows",
    ]
    positions = [text.index(mark) for mark in marks]
    assert positions == sorted(positions)
    assert "Wrong suite" in text
    assert "1 of 48 rows" in text


def test_published_page_shows_rows_and_reporting_tables(make_report: MakeReport, read_page: ReadPage) -> None:
    text = read_page(render_load_pages(make_report("published", recovered=True))[LOAD_PAGE]).text
    for words in ("27,315 inserted", "recovered", "336,776", "daily_delays", "5,840"):
        assert words in text
    assert "assay accept" not in text


def test_failed_page_shows_the_error_without_any_result(make_report: MakeReport, read_page: ReadPage) -> None:
    pages = render_load_pages(make_report("failed"))
    assert list(pages) == [LOAD_PAGE]
    assert "401 Unauthorized" in read_page(pages[LOAD_PAGE]).text
    assert "assay run weather" in read_page(pages[LOAD_PAGE]).text


def test_page_of_no_new_rows_asks_for_nothing(make_report: MakeReport, read_page: ReadPage) -> None:
    text = read_page(render_load_pages(make_report("no new rows"))[LOAD_PAGE]).text
    assert "The API sent nothing that is not published already" in text
    assert "Next" not in text


def test_accepted_page_says_by_whom_and_why(
    make_report: MakeReport, weather_outcomes: Outcomes, read_page: ReadPage
) -> None:
    report = make_report(
        "published", outcomes=weather_outcomes, accepted_by="mira", accept_reason="confirmed by the airport"
    )
    text = read_page(render_load_pages(report)[LOAD_PAGE]).text
    assert "Accepted by mira." in text
    assert "confirmed by the airport" in text
    assert "blocked the load" in text


def test_result_that_gx_cannot_render_does_not_cost_the_page(
    make_report: MakeReport, weather_outcomes: Outcomes, read_page: ReadPage
) -> None:
    unknown = msgspec.structs.replace(
        weather_outcomes[3], result={"expectation_config": {"type": "expect_nonsense", "kwargs": {}}}
    )
    text = read_page(render_load_pages(make_report("blocked", outcomes=(unknown,)))[WEATHER_PAGE]).text
    assert "Great Expectations could not render this result" in text
    assert "JKF" in text


def test_sql_check_shows_its_unexpected_rows(make_report: MakeReport, read_page: ReadPage) -> None:
    row = '{"id": 7, "tailnum": "<b>N7</b>"}'
    outcome = ExpectationOutcome(
        table="weather",
        suite="weather",
        expectation="unexpected_rows_expectation",
        identity="x",
        column=None,
        severity="warning",
        seen="table",
        state="failed",
        blocks=False,
        rows_seen=26_115,
        unexpected_count=1,
        examples=(row,),
        result={
            "success": False,
            "expectation_config": {
                "type": "unexpected_rows_expectation",
                "kwargs": {"unexpected_rows_query": "SELECT * FROM {batch} WHERE id < 0"},
                "meta": {"scope": "table"},
            },
            "result": {"observed_value": 1, "details": {"unexpected_rows": [row]}},
            "exception_info": {"raised_exception": False, "exception_message": None},
        },
    )
    text = read_page(render_load_pages(make_report("published", outcomes=(outcome,)))[WEATHER_PAGE]).text
    assert row in text
    assert "SELECT * FROM {batch} WHERE id < 0" in text
    assert "1 of 26,115 rows" in text


def test_deleted_rows_and_changed_columns_are_shown(make_report: MakeReport, read_page: ReadPage) -> None:
    report = make_report("published")
    tables = tuple(msgspec.structs.replace(table, deleted=12_345) for table in report.tables)
    change = SchemaChange(
        table="weather", kind="column added", column="<b>", before=None, after="text", statement="ALTER <i>"
    )
    pages = render_load_pages(msgspec.structs.replace(report, tables=tables, schema_changes=(change,)))
    text = read_page(pages[LOAD_PAGE]).text
    assert "12,345" in text
    assert "12,345" in read_page(pages[WEATHER_PAGE]).text
    assert "<b>" in text
    assert "added: text" in text
    assert "ALTER <i>" in text


def test_times_of_the_steps_are_shown(make_report: MakeReport, read_page: ReadPage) -> None:
    span = Span(step="extract", subject="<i>", started_s=0.25, took_s=12.5, parts={"decode": 10.5})
    pages = render_load_pages(msgspec.structs.replace(make_report("published"), timings=(span,)))
    text = read_page(pages[LOAD_PAGE]).text
    assert "extract <i>" in text
    assert "12.50" in text
    assert "decode 10.50" in text


def test_importing_the_step_does_not_import_gx_or_prefect() -> None:
    code = (
        "import sys, tasks.publish.reports, tasks.publish.storage;"
        "print([m for m in ('great_expectations', 'prefect', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
