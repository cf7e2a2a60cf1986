"""What was asked and what was answered, so that a test can count fetches."""

import threading
from collections import Counter, deque
from typing import Any

import msgspec

# A full download of all resources in pages of 1,000 is 370 requests; in pages of 100, 3,700.
KEPT_REQUESTS = 20_000


class Served(msgspec.Struct, frozen=True):
    """One request for a resource: its parameters as they were sent, and the answer."""

    resource: str
    params: dict[str, str]
    status: int
    fault: str | None = None


class Stats:
    """Counts of all requests for resources, and the latest of them one by one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts: Counter[tuple[str, str]] = Counter()
            self._requests: deque[Served] = deque(maxlen=KEPT_REQUESTS)

    def record(self, served: Served) -> None:
        """Count one request; a connection that was reset has the status `reset`."""
        status = "reset" if served.fault == "reset_connection" else str(served.status)
        with self._lock:
            self._counts[served.resource, status] += 1
            self._requests.append(served)

    def describe(self) -> dict[str, Any]:
        """`served`: resource → status → count; `requests`: the latest, oldest first."""
        with self._lock:
            counts, requests = dict(self._counts), list(self._requests)
        served: dict[str, dict[str, int]] = {}
        for (resource, status), count in sorted(counts.items()):
            served.setdefault(resource, {})[status] = count
        return {"served": served, "requests": requests}
