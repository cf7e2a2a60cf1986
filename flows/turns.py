"""How long a thread may keep the interpreter while others wait for it."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

TURN_S = 0.0005
_lock = threading.Lock()
_runs = 0
_usual_s = 0.0


@contextmanager
def short_turns() -> Iterator[None]:
    """Let threads take shorter turns until the end, or until that of the last run that asks for it.

    Decoding keeps the interpreter busy. A thread that has sent a request or a piece of COPY waits for it a
    whole turn each time, 5 ms by default, so that pages and COPY come in late: with a tenth of that, 336,776
    flights took 8 % less time.
    """
    global _runs, _usual_s  # noqa: PLW0603  the setting is the process's, too
    with _lock:
        if not _runs:
            _usual_s = sys.getswitchinterval()
            sys.setswitchinterval(min(_usual_s, TURN_S))
        _runs += 1
    try:
        yield
    finally:
        with _lock:
            _runs -= 1
            if not _runs:
                sys.setswitchinterval(_usual_s)
