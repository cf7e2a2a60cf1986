"""Publishing a report: render its pages, put them into the store, and the overview last."""

from collections.abc import Sequence
from typing import Final

import msgspec

from tasks.handover import LoadLine, LoadReport
from tasks.ports import Audience, Helper, Store
from tasks.publish.artifact import render_artifact
from tasks.publish.events import events_of
from tasks.publish.overview import render_overview
from tasks.publish.pages import render_load_pages
from tasks.publish.paths import INDEX, load_page, table_page
from tasks.publish.wording import tables_of
from tasks.timings import timed_step

_HTML: Final = "text/html; charset=utf-8"


def publish_report(
    report: LoadReport, lines: Sequence[LoadLine], *, store: Store, helper: Helper
) -> dict[str, str]:
    """Write the pages of one attempt, then the overview, and return where people open them.

    The overview comes last, so that it never links to a page that is not there. A report without
    expectation results is rendered here: that of a run whose helper did not start must come out too.

    Args:
        report: The attempt.
        lines: The attempts of all pipelines, newest first, this one among them.
        store: Where the pages go.
        helper: The process that knows Great Expectations.

    Returns:
        `index` → the overview, `load` → this attempt, and each table's name → its page.
    """
    for path, page in _render_pages(report, lines, helper).items():
        store.put(path, page.encode(), _HTML)
    return {
        **{
            table: store.url(table_page(report.load_id, report.attempt_no, table))
            for table in tables_of(report)
        },
        "index": store.url(INDEX),
        "load": store.url(load_page(report.load_id, report.attempt_no)),
    }


@timed_step("publish")
def tell_people(
    report: LoadReport, lines: Sequence[LoadLine], audience: Audience, helper: Helper
) -> dict[str, str]:
    """Write an attempt's pages, post its artifact, send its events; returns the pages' addresses."""
    links = publish_report(report, lines, store=audience.store, helper=helper)
    audience.post_artifact(f"assay-{report.pipeline.replace('_', '-')}", render_artifact(report, links))
    for event in events_of(report, links):
        audience.emit(event)
    return links


def render(*, report: str, lines: str) -> dict[str, str]:
    """`render_pages` in the helper process: a `LoadReport` and its `LoadLine`s as JSON."""
    return render_pages(
        msgspec.json.decode(report, type=LoadReport), msgspec.json.decode(lines, type=list[LoadLine])
    )


def render_pages(report: LoadReport, lines: Sequence[LoadLine]) -> dict[str, str]:
    """Relative path → HTML: the pages of the attempt, and last the overview."""
    return {**render_load_pages(report), INDEX: render_overview(lines)}


def _render_pages(report: LoadReport, lines: Sequence[LoadLine], helper: Helper) -> dict[str, str]:
    if not any(outcome.result for outcome in report.outcomes):
        return render_pages(report, lines)
    pages = helper.call(
        "tasks.publish.reports:render",
        report=msgspec.json.encode(report).decode(),
        lines=msgspec.json.encode(lines).decode(),
    )
    return msgspec.convert(pages, dict[str, str])
