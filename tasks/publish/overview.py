"""The overview: every pipeline's health and every load, newest first, from the ledger's lines alone."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec

from tasks.handover import LoadLine
from tasks.publish.paths import load_page
from tasks.publish.templates import render_template
from tasks.publish.wording import count

_STREAK: Final = 30
_REPORTED: Final = frozenset({"published", "no new rows", "blocked", "failed"})
_TROUBLE: Final = frozenset({"blocked", "failed", "crashed"})


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """One pipeline at a glance: `streak` is its latest attempts, oldest first."""

    pipeline: str
    latest: LoadLine
    published_at: dt.datetime | None
    streak: Sequence[LoadLine]

    @property
    def is_troubled(self) -> bool:
        """Whether the latest finished attempt left the tables as they were."""
        finished = (line.status for line in reversed(self.streak) if line.status != "running")
        return next(finished, "running") in _TROUBLE


def render_overview(lines: Sequence[LoadLine]) -> str:
    """The page of all loads; `lines` are attempts, newest first."""
    healths = _sum_up(lines)
    troubled = [health for health in healths if health.is_troubled]
    return render_template(
        "overview.html",
        lines=lines,
        healths=healths,
        headline=_headline(healths, troubled),
        link=_link,
        tone=_tone,
    )


def _headline(healths: Sequence[Health], troubled: Sequence[Health]) -> str:
    if not troubled:
        return f"{count(len(healths), 'pipeline')}, all well"
    return f"{len(troubled)} of {count(len(healths), 'pipeline')} in trouble"


def _sum_up(lines: Sequence[LoadLine]) -> list[Health]:
    by_pipeline: dict[str, list[LoadLine]] = {}
    for line in lines:
        by_pipeline.setdefault(line.pipeline, []).append(line)
    healths = [
        Health(
            pipeline=pipeline,
            latest=own[0],
            published_at=next((line.ended_at for line in own if line.status == "published"), None),
            streak=own[:_STREAK][::-1],
        )
        for pipeline, own in by_pipeline.items()
    ]
    return sorted(healths, key=lambda health: (not health.is_troubled, health.pipeline))


def _link(line: LoadLine) -> str | None:
    """The page of this attempt, when it lived to write one."""
    return load_page(line.load_id, line.attempt_no) if line.status in _REPORTED else None


def _tone(line: LoadLine) -> str:
    """The colour of an attempt: its status, but `mixed` when it was published below expectation."""
    is_mixed = line.status == "published" and line.expectations_passed < line.expectations
    return "mixed" if is_mixed else line.status
