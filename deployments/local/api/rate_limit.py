"""A token bucket: so many requests a second, with a burst of one second's worth."""

import threading
import time
from collections.abc import Callable


class RateLimit:
    """Counts requests against a rate.

    Args:
        requests_per_s: No limit if None.
        read_clock: Seconds of a steady clock.
    """

    def __init__(
        self, requests_per_s: float | None, read_clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = requests_per_s
        self._read_clock = read_clock
        self._burst = max(1.0, requests_per_s or 1.0)
        self._tokens = self._burst
        self._filled_at = read_clock()
        self._lock = threading.Lock()

    def wait_s(self) -> float:
        """Take a token and return 0, or return how long until there is one."""
        if self._rate is None:
            return 0.0
        with self._lock:
            now = self._read_clock()
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
            self._filled_at = now
            if self._tokens >= 1:
                self._tokens -= 1
                return 0.0
            return (1 - self._tokens) / self._rate
