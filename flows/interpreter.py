"""How Python's interpreter is set while runs are under way."""

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

TURN_S = 0.0005
"""How long a thread may keep the interpreter while others wait for it.

Decoding keeps it busy. A thread that has sent a request or a piece of COPY waits for it a whole turn each
time, 5 ms by default, so that pages and COPY come in late: a tenth of that saved 8 % of the time of 336,776
flights.
"""
YOUNG_OBJECTS = 10_000
"""How many more objects there must be before Python looks for garbage among the young ones, 700 by default.

The records of two pages are more than that. They go without being looked for, since nothing in them points
back; to look took 15 % of the time of decoding.
"""


class _Settings(NamedTuple):
    turn_s: float
    thresholds: tuple[int, int, int]

    def for_runs(self) -> "_Settings":
        young, middle, old = self.thresholds
        # Zero means that the collector is off.
        return _Settings(min(self.turn_s, TURN_S), (young and max(young, YOUNG_OBJECTS), middle, old))

    def apply(self) -> None:
        sys.setswitchinterval(self.turn_s)
        gc.set_threshold(*self.thresholds)


_lock = threading.Lock()
_runs = 0
_usual: _Settings | None = None


@contextmanager
def set_for_runs() -> Iterator[None]:
    """Set the interpreter for many threads and records, until the last run that asks for it has ended."""
    global _runs, _usual  # noqa: PLW0603  the settings are the process's, too
    with _lock:
        if _usual is None:
            _usual = _Settings(sys.getswitchinterval(), gc.get_threshold())
            _usual.for_runs().apply()
        _runs += 1
    try:
        yield
    finally:
        with _lock:
            _runs -= 1
            if not _runs and _usual:
                _usual.apply()
                _usual = None


@contextmanager
def lasting_imports() -> Iterator[None]:
    """Keep the garbage collector away from what is imported in here, now and later.

    What Prefect brings are hundreds of thousands of objects that live as long as the process. To walk over
    them again and again while they are made takes 0.2 s.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
