"""The API's state: its records, its clock, its faults. All that the control endpoints change."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deployments.local.api.errors import ApiError
from deployments.local.api.faults import FaultSwitch
from deployments.local.api.rate_limit import RateLimit
from deployments.local.api.snapshot import Snapshot, format_us, parse_us
from deployments.local.api.stats import Stats


@dataclass(frozen=True, slots=True)
class World:
    """What is there to see at one moment. Replaced as a whole, so that a request sees one of them."""

    snapshots: Mapping[str, Snapshot]
    clock_us: int | None = None
    corrected_us: int | None = None


def _read_now_us() -> int:
    return time.time_ns() // 1000


@dataclass
class DemoState:
    """Everything that a request needs to be answered.

    Args:
        snapshots: The original records.
        token: What a caller must bear.
        rate_limit: Requests per second for resources; none if None.
        clock: An ISO-8601 moment; records updated later are not served. None serves all.
        read_now_us: The time of corrections while no clock is set.
    """

    snapshots: Mapping[str, Snapshot]
    token: str = "demo-token"  # noqa: S105 - a demo's
    rate_limit: float | None = None
    clock: str | None = None
    read_now_us: Callable[[], int] = _read_now_us
    faults: FaultSwitch = field(default_factory=FaultSwitch, init=False)
    stats: Stats = field(default_factory=Stats, init=False)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Back to the original state: records, clock, limit, faults and stats."""
        clock_us = None if self.clock is None else parse_us(self.clock)
        self.world = World(self.snapshots, clock_us)
        self.limiter = RateLimit(self.rate_limit)
        self.faults.switch_off()
        self.stats.clear()

    def limit_rate(self, requests_per_s: float | None) -> None:
        """Change the rate limit until the next reset."""
        self.limiter = RateLimit(requests_per_s)

    def set_clock(self, moment: str | None) -> None:
        """Serve only what was known by this moment; everything if None.

        Raises:
            ApiError: 400 if it is not a moment, 409 if it lies before a correction already made:
                the API keeps no earlier versions of a record.
        """
        clock_us = None if moment is None else parse_moment("now", moment)
        with self._lock:
            corrected_us = self.world.corrected_us
            if clock_us is not None and corrected_us is not None and clock_us < corrected_us:
                corrected_at = format_us(corrected_us)
                raise ApiError(
                    409, f"records were corrected at {corrected_at}: the clock stays there, or reset"
                )
            self.world = replace(self.world, clock_us=clock_us)

    def correct(self, resource: str, changes: Mapping[int, Mapping[str, Any]]) -> str:
        """Change records by id, all at once, and return their common new `updated_at`.

        That moment is later than any `updated_at` served so far. While a clock is set, it is one
        microsecond after the clock, and the clock moves there.

        Raises:
            ApiError: 400 if an id is not there, or not known by the clock yet.
        """
        with self._lock:
            world = self.world
            snapshot = world.snapshots[resource]
            if unknown := snapshot.find_unknown(set(changes), world.clock_us):
                raise ApiError(
                    400, f"{resource}: {len(unknown)} of {len(changes)} ids unknown: {unknown[:5]}"
                )
            updated_us = self._next_moment(world)
            self.world = World(
                snapshots={**world.snapshots, resource: snapshot.correct(changes, updated_us)},
                clock_us=None if world.clock_us is None else updated_us,
                corrected_us=updated_us,
            )
            return format_us(updated_us)

    def _next_moment(self, world: World) -> int:
        now_us = self.read_now_us() if world.clock_us is None else world.clock_us + 1
        return now_us if world.corrected_us is None else max(now_us, world.corrected_us + 1)


def parse_moment(name: str, text: str) -> int:
    """Microseconds since 1970 of the parameter `name`.

    Raises:
        ApiError: 400 if it is not an ISO-8601 moment with an offset.
    """
    try:
        return parse_us(text)
    except ValueError as exc:
        raise ApiError(400, f"{name}: not an ISO-8601 moment with an offset from UTC: {text!r}") from exc
