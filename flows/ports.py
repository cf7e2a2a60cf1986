"""What a run meets of the world: see `flows/wiring.py` for the ways it is wired."""

from collections.abc import Callable
from dataclasses import dataclass

from tasks.handover import LoadLine, LoadReport
from tasks.ports import Audience, Helper, Secrets
from tasks.publish.reports import tell_people
from tasks.settings import Settings

Publish = Callable[[LoadReport, list[LoadLine], Audience, Helper], dict[str, str]]


@dataclass(frozen=True)
class Ports:
    """The world as a run meets it.

    `pool_type` is the type of the Prefect work pool whose worker started the run, None without one.
    """

    settings: Settings
    secrets: Secrets
    audience: Audience
    run_url: str | None = None
    pool_type: str | None = None
    publish: Publish = tell_people
