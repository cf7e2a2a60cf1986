"""The overview, from ledger lines alone."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from tasks.handover import LoadLine, Status
from tasks.publish.overview import render_overview

ReadPage = Callable[[str], Any]
NOON = dt.datetime(2026, 3, 8, 12, tzinfo=dt.UTC)


def line(pipeline: str, status: Status, hours_ago: int, **changes: Any) -> LoadLine:
    started = NOON - dt.timedelta(hours=hours_ago)
    facts: dict[str, Any] = {
        "load_id": f"{pipeline}-{hours_ago}",
        "attempt_no": 1,
        "started_at": started,
        "ended_at": None if status in {"running", "crashed"} else started + dt.timedelta(seconds=75),
    }
    return LoadLine(pipeline=pipeline, status=status, **(facts | changes))


def test_pipelines_in_trouble_come_first_and_make_the_headline(read_page: ReadPage) -> None:
    lines = [line("a", "published", 1), line("b", "blocked", 2), line("b", "published", 3)]
    page = read_page(render_overview(lines))
    assert "1 of 2 pipelines in trouble" in page.text
    cards = [attrs["class"] for tag, attrs in page.elements if tag == "section"]
    assert cards == ["panel health trouble", "panel health published"]


def test_running_attempt_does_not_hide_the_trouble_before_it(read_page: ReadPage) -> None:
    text = read_page(render_overview([line("a", "running", 0), line("a", "blocked", 1)])).text
    assert "1 of 1 pipeline in trouble" in text


def test_last_publication_is_told_behind_later_failures(read_page: ReadPage) -> None:
    lines = [line("a", "failed", 1, error="503"), line("a", "no new rows", 2), line("a", "published", 3)]
    assert "2026-03-08 09:01 UTC" in read_page(render_overview(lines)).text


def test_only_attempts_that_wrote_a_page_are_linked(read_page: ReadPage) -> None:
    statuses: list[Status] = ["running", "crashed", "published", "no new rows", "blocked", "failed"]
    page = read_page(render_overview([line("a", status, n) for n, status in enumerate(statuses)]))
    links = {link for link in page.links() if not link.startswith("data:")}
    assert links == {f"loads/a-{n}/1/index.html" for n in (2, 3, 4, 5)}


def test_streak_is_oldest_first_and_bounded(read_page: ReadPage) -> None:
    lines = [line("a", "blocked" if n == 0 else "published", n) for n in range(40)]
    page = read_page(render_overview(lines))
    streak = [attrs["class"] for tag, attrs in page.elements if tag == "a" and "title" in attrs]
    assert len(streak) == 30
    assert streak[-1] == "blocked"
    assert set(streak[:-1]) == {"published"}


def test_publication_below_expectation_has_its_own_colour(read_page: ReadPage) -> None:
    page = read_page(render_overview([line("a", "published", 1, expectations=9, expectations_passed=8)]))
    assert "mixed" in [attrs.get("class") for tag, attrs in page.elements if tag == "a"]


def test_hostile_lines_stay_text(read_page: ReadPage) -> None:
    hostile = "<script>alert(1)</script>"
    lines = [line(hostile, "failed", 1, error=hostile, load_id="../../<script>alert(1)</script>")]
    page = read_page(render_overview(lines))
    assert "script" not in {tag for tag, _ in page.elements}
    assert page.text.count(hostile) >= 3
    assert not [link for link in page.links() if ".." in link.split("/")]


def test_empty_ledger_tells_how_to_begin(read_page: ReadPage) -> None:
    assert "assay run NAME" in read_page(render_overview([])).text
