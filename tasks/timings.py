"""Where the time of a run goes: a span for each step, and inside it what its parts took.

Steps and their parts are wrapped where they are defined, so that no logic looks at a clock. Spans go to the
recording of the run in whose context the step is called; outside of one, nothing is measured.
"""

import functools
import inspect
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from msgspec import Struct

P = ParamSpec("P")
R = TypeVar("R")


class Span(Struct, frozen=True, kw_only=True):
    """One execution of a step; a retried step has several.

    Attributes:
        step: Name of the step.
        subject: The resource or table it was about, None where it is about all of them.
        started_s: Seconds from the run's beginning to its start.
        took_s: Seconds from its start to its end.
        parts: Seconds that parts of it took, one after the other or at the same time.
    """

    step: str
    subject: str | None = None
    started_s: float
    took_s: float
    parts: dict[str, float] = {}


class Recording:
    """The spans of one run; `attempt` is the load and the number of its attempt, once they are known."""

    def __init__(self) -> None:
        self.attempt: tuple[str, int] | None = None
        self._began = time.perf_counter()
        self._spans: list[Span] = []

    @property
    def spans(self) -> list[Span]:
        """Those that have ended, by their start."""
        return sorted(self._spans, key=lambda span: span.started_s)

    def add(self, step: str, subject: str | None, started: float, parts: dict[str, float]) -> None:
        """Add one that has just ended; `started` is by `time.perf_counter`."""
        self._spans.append(
            Span(
                step=step,
                subject=subject,
                started_s=round(started - self._began, 6),
                took_s=round(time.perf_counter() - started, 6),
                parts={name: round(seconds, 6) for name, seconds in parts.items()},
            )
        )


_RECORDING: ContextVar[Recording | None] = ContextVar("recording", default=None)
_PARTS: ContextVar[dict[str, float] | None] = ContextVar("parts", default=None)


@contextmanager
def record_timings() -> Iterator[Recording]:
    """Record what is called in here, and in threads that run in a copy of this context."""
    recording = Recording()
    token = _RECORDING.set(recording)
    try:
        yield recording
    finally:
        _RECORDING.reset(token)


def recorded_spans(load_id: str, attempt_no: int) -> list[Span]:
    """The spans of this attempt so far; none when another one is recorded, or nothing is."""
    recording = _RECORDING.get()
    return recording.spans if recording and recording.attempt == (load_id, attempt_no) else []


@contextmanager
def step(name: str, subject: str | None = None) -> Iterator[None]:
    """What is in here is a step."""
    recording = _RECORDING.get()
    if recording is None:
        yield
        return
    parts: dict[str, float] = {}
    token = _PARTS.set(parts)
    started = time.perf_counter()
    try:
        yield
    finally:
        _PARTS.reset(token)
        recording.add(name, subject, started, parts)


def timed_step(name: str, *, subject: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a step; `subject` names the argument whose name says what the step is about."""

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            about = signature.bind(*args, **kwargs).arguments[subject].name if subject else None
            with step(name, about):
                return function(*args, **kwargs)

        return timed

    return wrap


def add_part(name: str, seconds: float) -> None:
    """Add to what a part of the current step took."""
    parts = _PARTS.get()
    if parts is not None:
        parts[name] = parts.get(name, 0.0) + seconds


@contextmanager
def part(name: str) -> Iterator[None]:
    """What is in here is a part of the current step; also a decorator of functions."""
    started = time.perf_counter()
    try:
        yield
    finally:
        add_part(name, time.perf_counter() - started)


def timed_waits(name: str, items: Iterable[R]) -> Iterator[R]:
    """The same items; waiting for each is a part of the current step."""
    iterator = iter(items)
    while True:
        with part(name):
            try:
                item = next(iterator)
            except StopIteration:
                return
        yield item
