"""Jinja2 with autoescape for every page, and the few filters they use.

Pages are whole in themselves: one inlined stylesheet, no script, and a content security policy that would
keep a script from running should one ever get past the escaping.
"""

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.handover import ExpectationOutcome
from tasks.publish.paths import href
from tasks.publish.wording import count, describe_change, describe_extent, one_line, pick_examples

_FOLDER = Path(__file__).parent / "templates"


def render_template(name: str, /, **values: Any) -> str:
    """The template of this name, filled in; every value is escaped unless it is Markup."""
    return _environment().get_template(name).render(**values)


def compile_all() -> None:
    """Compile every template: the first page of a process waits a tenth of a second for it."""
    for name in _environment().list_templates(extensions=["html"]):
        _environment().get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": format_number,
        "when": format_time,
        "minute": format_minute,
        "duration": format_duration,
        "slug": lambda status: status.replace(" ", "-"),
        "href": href,
        "safe_url": keep_web_address,
        "one_line": one_line,
        "extent": describe_extent,
        "change": describe_change,
        "examples": pick_examples,
        "rows_seen": describe_rows_seen,
    }
    # The stylesheet is ours: it goes in as it is.
    environment.globals["stylesheet"] = Markup((_FOLDER / "style.css").read_text(encoding="utf-8"))  # noqa: S704
    return environment


def describe_rows_seen(outcome: ExpectationOutcome) -> str:
    """Which rows an expectation saw, and how many."""
    rows = count(outcome.rows_seen, "row")
    return {
        "remaining": f"{rows}, before any went to quarantine",
        "clean": f"the {rows} not in quarantine",
        "table": f"the merged table, {rows}",
    }[outcome.seen]


def keep_web_address(url: str) -> str:
    """`url` when a browser opens it as a page; `#` for `javascript:` and the like."""
    return url if url.startswith(("https://", "http://")) else "#"


def format_number(number: int) -> str:
    """`26115` as `26,115`."""
    return f"{number:,}"


def format_time(time: dt.datetime | None) -> str:
    """A moment as `2026-11-22 16:24 UTC`; a naive one is taken as UTC."""
    return f"{format_minute(time)} UTC" if time else "–"  # noqa: RUF001


def format_minute(time: dt.datetime) -> str:
    """A moment in UTC as `2026-11-22 16:24`."""
    return f"{time.astimezone(dt.UTC) if time.tzinfo else time:%Y-%m-%d %H:%M}"


def format_duration(started_at: dt.datetime, ended_at: dt.datetime | None) -> str:
    """The time between two moments as `0.8 s`, `12 s`, `3 min 20 s` or `2 h 5 min`."""
    if ended_at is None:
        return "–"  # noqa: RUF001
    seconds = max((ended_at - started_at).total_seconds(), 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
