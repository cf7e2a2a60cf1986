"""How hard an API may be pressed, over all threads that use it."""

import threading
import time
from collections import deque
from collections.abc import Callable

from tasks.pipeline import RateLimit

_MOMENT_S = 1.0


class RateLimiter:
    """Lets at most `requests` through in any `per_s` seconds, and none while the API asked for a pause.

    The times of the last requests are kept, so the bound is exact for every window; a token bucket would
    let twice as many through in the window after an idle one.
    """

    def __init__(self, limit: RateLimit | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: deque[float] = deque(maxlen=limit.requests if limit else 1)
        self._resume_at = 0.0

    def wait(self, stop: threading.Event) -> None:
        """Return when a request may be sent, or at once when `stop` is set."""
        while (delay_s := self._try_to_send()) > 0:
            if stop.wait(delay_s):
                return

    def pause(self, seconds: float) -> bool:
        """Let nothing through for so long: the API asked for it, of all who share its quota.

        Returns whether this is news, and not what other threads were told a moment ago.
        """
        with self._lock:
            until = self._clock() + seconds
            is_news = until > self._resume_at + _MOMENT_S
            self._resume_at = max(self._resume_at, until)
            return is_news

    def _try_to_send(self) -> float:
        """Seconds until it is worth asking again; 0 when a request was let through."""
        with self._lock:
            now = self._clock()
            free_at = self._resume_at
            if self._limit and len(self._sent) == self._limit.requests:
                free_at = max(free_at, self._sent[0] + self._limit.per_s)
            if now < free_at:
                return free_at - now
            self._sent.append(now)
            return 0.0
