"""The overview: every pipeline's health and every load, newest first, from the ledger's lines alone."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec

from tasks.handover import LoadLine
from tasks.publish.paths import load_page
from tasks.publish.templates import render_template

_STREAK: Final = 30
_REPORTED: Final = frozenset({"published", "no new rows", "blocked", "failed"})


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """One pipeline at a glance: `streak` is its latest attempts, oldest first."""

    pipeline: str
    latest: LoadLine
    published_at: dt.datetime | None
    streak: Sequence[LoadLine]


def render_overview(lines: Sequence[LoadLine]) -> str:
    """The page of all loads; `lines` are attempts, newest first."""
    return render_template(
        "overview.html",
        lines=lines,
        healths=_sum_up(lines),
        links=[_link(line) for line in lines],
        link=_link,
    )


def _sum_up(lines: Sequence[LoadLine]) -> list[Health]:
    by_pipeline: dict[str, list[LoadLine]] = {}
    for line in lines:
        by_pipeline.setdefault(line.pipeline, []).append(line)
    return [
        Health(
            pipeline=pipeline,
            latest=own[0],
            published_at=next((line.ended_at for line in own if line.status == "published"), None),
            streak=own[:_STREAK][::-1],
        )
        for pipeline, own in sorted(by_pipeline.items())
    ]


def _link(line: LoadLine) -> str | None:
    """The page of this attempt, when it lived to write one."""
    return load_page(line.load_id, line.attempt_no) if line.status in _REPORTED else None
