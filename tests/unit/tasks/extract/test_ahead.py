import threading
import time
from contextlib import closing

import pytest

from tasks.errors import FatalError
from tasks.extract import ahead as ahead_module
from tasks.extract.ahead import ReadAhead
from tasks.extract.failures import ExtractionStopped
from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.numbered import NumberedPages
from tasks.extract.pagination.protocol import Reads
from tasks.pipeline import PageNumber
from tests.unit.tasks.extract.pagination.driving import make_answer


class Pages:
    """A paginator that knows all pages from the start, or one at a time."""

    def __init__(self, count: int, *, one_at_a_time: bool = False) -> None:
        self.reads: Reads = {}
        self.total_pages: int | None = count
        self._known = 1 if one_at_a_time else count
        self._asked = 0

    def next_request(self) -> PageRequest | None:
        if self._asked == min(self._known, self.total_pages or 0):
            return None
        self._asked += 1
        return PageRequest(self._asked, {})

    def take(self, answer: Answer) -> None:
        self._known = max(self._known, answer.page.number + 1)

    def withdraw(self) -> bool:
        return False

    def finish(self, received: int) -> None:
        pass

    def state(self) -> dict[str, int]:
        return {"known": self._known}


def test_pages_come_in_order_however_they_arrive() -> None:
    def fetch(request: PageRequest, _stop: threading.Event) -> Answer:
        time.sleep(0.01 * (request.number % 3))
        return make_answer(request.number)

    with closing(ReadAhead(fetch, 4, threading.Event())) as ahead:
        assert [answer.page.number for answer in ahead.read(Pages(20), lambda: None)] == list(range(1, 21))


def test_a_paginator_that_learns_from_each_page_is_followed() -> None:
    paginator = Pages(5, one_at_a_time=True)
    with closing(ReadAhead(lambda request, _: make_answer(request.number), 4, threading.Event())) as ahead:
        numbers = [answer.page.number for answer in ahead.read(paginator, lambda: None)]
    assert numbers == [1, 2, 3, 4, 5]


def test_few_pages_are_under_way_before_it_is_known_how_large_they_are() -> None:
    asked: list[int] = []
    asked_when_waiting: list[int] = []
    may_answer = threading.Event()

    def fetch(request: PageRequest, _stop: threading.Event) -> Answer:
        asked.append(request.number)
        may_answer.wait()
        return make_answer(request.number)

    def wait_a_moment() -> None:
        asked_when_waiting.append(len(asked))
        may_answer.set()

    with closing(ReadAhead(fetch, 8, threading.Event())) as ahead:
        assert [answer.page.number for answer in ahead.read(Pages(20), wait_a_moment)] == list(range(1, 21))
    assert asked_when_waiting[0] == 2


def test_at_most_two_pages_a_connection_are_held() -> None:
    fetched = 0
    lock = threading.Lock()

    def fetch(request: PageRequest, _stop: threading.Event) -> Answer:
        nonlocal fetched
        with lock:
            fetched += 1
        return make_answer(request.number)

    with closing(ReadAhead(fetch, 3, threading.Event())) as ahead:
        for taken, _answer in enumerate(ahead.read(Pages(50), lambda: None), start=1):
            time.sleep(0.002)
            assert fetched <= taken + 6


def test_the_first_error_is_raised_while_an_earlier_page_is_awaited() -> None:
    given_up = threading.Event()

    def fetch(request: PageRequest, stop: threading.Event) -> Answer:
        if request.number == 1:
            stop.wait(20)
            given_up.set()
        raise FatalError(f"page {request.number}")

    started = time.monotonic()
    with (
        pytest.raises(FatalError, match="page 2"),
        closing(ReadAhead(fetch, 2, threading.Event())) as ahead,
    ):
        list(ahead.read(Pages(9), lambda: None))
    assert time.monotonic() - started < 5
    assert given_up.wait(5)


def test_a_stop_from_outside_ends_the_reading() -> None:
    stop = threading.Event()
    ticks = []

    def tick() -> None:
        ticks.append(1)
        stop.set()

    def fetch(request: PageRequest, stopping: threading.Event) -> Answer:
        stopping.wait(20)
        return make_answer(request.number)

    with pytest.raises(ExtractionStopped), closing(ReadAhead(fetch, 2, stop)) as ahead:
        list(ahead.read(Pages(9), tick))
    assert ticks == [1]


def test_of_large_pages_fewer_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead_module, "_HELD_BYTES", 25)
    fetched = 0
    lock = threading.Lock()

    def fetch(request: PageRequest, _stop: threading.Event) -> Answer:
        nonlocal fetched
        with lock:
            fetched += 1
        return make_answer(request.number, "ten bytes")

    with closing(ReadAhead(fetch, 8, threading.Event())) as ahead:
        for taken, _answer in enumerate(ahead.read(Pages(30, one_at_a_time=True), lambda: None), start=1):
            time.sleep(0.002)
            assert fetched <= taken + 1


def test_what_is_withdrawn_is_dropped_unread_and_its_errors_with_it() -> None:
    def fetch(request: PageRequest, _stop: threading.Event) -> Answer:
        if request.number > 3:
            raise FatalError(f"page {request.number}")
        return make_answer(request.number, *([1] if request.number < 3 else []))

    declared = PageNumber(size_param=None)
    paginator = NumberedPages("flights", declared, PageRequest(0))
    with closing(ReadAhead(fetch, 4, threading.Event())) as ahead:
        numbers = [answer.page.number for answer in ahead.read(paginator, lambda: None)]
    assert numbers == [1, 2, 3]
