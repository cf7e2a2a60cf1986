"""Fetch pages concurrently, hand them over in order, hold few of them."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context

from tasks.extract.failures import ExtractionStopped
from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.paginate import learn
from tasks.extract.pagination.protocol import Paginator
from tasks.timings import part

_TICK_S = 0.1
_HELD_BYTES = 128_000_000
"""Of large pages fewer are under way, at least one: about so many bytes of them may wait in memory."""

_UNSEEN = 2
"""Pages under way before it is known how large they are."""

Fetch = Callable[[PageRequest, threading.Event], Answer]


class ReadAhead:
    """Keeps up to two pages a connection under way or waiting, so that memory does not grow with the data."""

    def __init__(self, fetch: Fetch, connections: int, stop: threading.Event) -> None:
        """Prepare the threads.

        Args:
            fetch: Gets one page; it is told to give up by the event that it receives.
            connections: Number of threads.
            stop: Set from outside to end the extraction.
        """
        self._fetch = fetch
        self._stop = stop
        self._stopping = threading.Event()
        self._window = 2 * connections
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="fetch")
        self._pending: deque[tuple[PageRequest, Future[Answer]]] = deque()
        self._error: BaseException | None = None
        self._largest = 0

    def close(self) -> None:
        """Tell the threads to give up, and do not wait for those in a time-out."""
        self._stopping.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def read(self, paginator: Paginator, on_tick: Callable[[], None]) -> Iterator[Answer]:
        """All pages that the paginator knows or comes to know, in order, each with what it learned.

        What follows a page is asked for before the page is handed over, so that it is fetched while the
        caller is busy. `on_tick` is called while waiting, several times a second. The first error of any
        thread is raised as soon as it happens, whichever page was awaited; that of a guess when its turn
        comes, which it may not.
        """
        self._fill(paginator)
        while self._pending:
            answer = learn(paginator, self._await(self._pending.popleft()[1], on_tick))
            if paginator.withdraw():
                self._drop()
            self._fill(paginator)
            yield answer

    def _fill(self, paginator: Paginator) -> None:
        fitting = _HELD_BYTES // self._largest if self._largest else _UNSEEN
        window = min(self._window, max(1, fitting))
        while len(self._pending) < window and (request := paginator.next_request()):
            # In the caller's context, so that a log line of the thread is known to be of its run.
            run = copy_context().run
            self._pending.append((request, self._pool.submit(run, self._fetch_or_fail, request)))

    def _drop(self) -> None:
        """Forget what is under way; a thread that is at it finishes its request for nobody."""
        while self._pending:
            self._pending.pop()[1].cancel()

    def _fetch_or_fail(self, request: PageRequest) -> Answer:
        try:
            answer = self._fetch(request, self._stopping)
        except BaseException as exc:
            if not request.is_guess:
                self._error = self._error or exc
            raise
        self._largest = max(self._largest, len(answer.page.body))
        return answer

    @part("wait for pages")
    def _await(self, future: Future[Answer], on_tick: Callable[[], None]) -> Answer:
        while True:
            if self._error:
                raise self._error
            if self._stop.is_set():
                raise ExtractionStopped("The source's client was stopped.")
            try:
                return future.result(timeout=_TICK_S)
            except TimeoutError:
                on_tick()
