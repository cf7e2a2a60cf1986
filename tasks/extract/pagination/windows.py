"""Pages of several requests that stand for one: windows of time, each paged for itself."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.protocol import Paginator, Reads


class WindowedPages:
    """The pages of one paginator after another, numbered through.

    The next window is begun as soon as all pages of the one before are known, so windows of a page each are
    fetched concurrently. The order depends on the answers alone, so a resumed extraction asks in the same.
    """

    def __init__(self, windows: Sequence[Paginator]) -> None:
        self._windows = windows
        self.reads: Reads = windows[0].reads
        self.total_pages: int | None = None
        self.part = 0
        """The window of the last answer: pages of two windows may hold the same records."""
        self._current = 0
        self._requested = [0] * len(windows)
        self._taken = [0] * len(windows)
        self._received = [0] * len(windows)
        self._pending: deque[int] = deque()

    def next_request(self) -> PageRequest | None:
        """The next request of the current window, or the first of the next one."""
        while True:
            request = self._windows[self._current].next_request()
            if request is not None:
                break
            if not self._is_exhausted() or self._current + 1 == len(self._windows):
                return None
            self._current += 1
        self._requested[self._current] += 1
        self._pending.append(self._current)
        return msgspec.structs.replace(request, number=sum(self._requested))

    def take(self, answer: Answer) -> None:
        """Hand the answer to its window, numbered as that counts."""
        self.part = self._pending.popleft()
        self._taken[self.part] += 1
        self._received[self.part] += answer.count()
        page = msgspec.structs.replace(answer.page, number=self._taken[self.part])
        self._windows[self.part].take(msgspec.structs.replace(answer, page=page))

    def withdraw(self) -> bool:
        """As the current window says; none is begun while the one before may withdraw."""
        if not self._windows[self.part].withdraw():
            return False
        self._pending.clear()
        self._requested = list(self._taken)
        self._current = self.part
        return True

    def finish(self, received: int) -> None:  # noqa: ARG002  (each window knows its own)
        """Check each window.

        Raises:
            PagesShiftedError: One received another number than it announced.
        """
        for window, own in zip(self._windows, self._received, strict=True):
            window.finish(own)

    def state(self) -> Mapping[str, Any]:
        """The window, and where it stands."""
        return {"window": self.part, **self._windows[self.part].state()}

    def _is_exhausted(self) -> bool:
        """Whether the current window has no further pages, as far as all of its answers are here."""
        window, asked = self._windows[self._current], self._requested[self._current]
        is_known = window.total_pages is not None and asked >= max(window.total_pages, 1)
        return is_known or (asked > 0 and self._taken[self._current] == asked)
