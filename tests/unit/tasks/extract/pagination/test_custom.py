"""Paginators of a pipeline's own: a generator of requests, or an object that knows several at a time."""

from collections.abc import Mapping
from typing import Any

import pytest

from tasks.errors import ConfigurationError, FatalError
from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.custom import Pages
from tasks.extract.pagination.protocol import Reads
from tasks.pipeline import CustomPages, Resource
from tests.integration.tasks.extract.dialects.declarations import Item
from tests.integration.tasks.extract.dialects.paging import PAGING
from tests.integration.tasks.extract.dialects.running import make_records
from tests.unit.tasks.extract.pagination.driving import Driver

RECORDS = make_records(35)


class EveryTen:
    """Asks for four pages of ten, all at once."""

    def __init__(self, first: PageRequest) -> None:
        self.reads: Reads = {}
        self.total_pages: int | None = 4
        self._first = first
        self._asked = 0

    def next_request(self) -> PageRequest | None:
        if self._asked == 4:
            return None
        self._asked += 1
        asked = self._first.ask(**{"$offset": 10 * (self._asked - 1), "$limit": 10})
        return PageRequest(self._asked, asked.params, asked.path)

    def take(self, answer: Answer) -> None:
        pass

    def withdraw(self) -> bool:
        return False

    def finish(self, received: int) -> None:
        assert received == 35

    def state(self) -> Mapping[str, Any]:
        return {}


def follow_header(first: PageRequest) -> Pages:
    answer = yield first
    while page := answer.headers.get("x-next-page"):
        answer = yield first.ask(page=page)


def declare(path: str, paginator: Any) -> Resource:
    return Resource(name="items", path=path, record=Item, records="", paginator=paginator)


def test_an_object_of_ones_own_may_know_all_pages_at_once() -> None:
    driver = Driver(declare("/socrata", EveryTen), PAGING["socrata"], RECORDS)
    driver.run(8).finish()
    assert driver.taken == RECORDS


def test_a_function_may_read_the_headers_that_are_declared() -> None:
    paginator = CustomPages(pages=follow_header, headers=("x-next-page",))
    driver = Driver(declare("/gitlab", paginator), PAGING["gitlab"], RECORDS).run(8)
    assert driver.taken == RECORDS
    assert len(driver.pages) == 2


def test_a_function_that_fails_is_named_with_the_page() -> None:
    def count(first: PageRequest) -> Pages:
        answer = yield first
        yield first.ask(page=answer.json()["next"])

    wanted = r"items: the paginator .*count failed on page 1 at .*: TypeError: .*begins with '\[\{\"id\": 7"
    with pytest.raises(FatalError, match=wanted):
        Driver(declare("/gitlab", count), PAGING["gitlab"], RECORDS).run(1)


def test_what_is_no_paginator_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"returned 7. Let it yield requests, or return a Paginator"):
        Driver(declare("/x", lambda _first: 7), PAGING["socrata"], RECORDS)
