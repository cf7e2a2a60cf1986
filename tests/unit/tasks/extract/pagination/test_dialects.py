"""Every dialect, any number of records, any number of pages under way: all records, once, in order."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.tasks.extract.dialects.declarations import DECLARED
from tests.integration.tasks.extract.dialects.paging import PAGING
from tests.integration.tasks.extract.dialects.running import make_records
from tests.unit.tasks.extract.pagination.driving import Driver

EXAMPLES = int(os.environ.get("ASSAY_EXAMPLES", "12"))
COUNTS = st.one_of(st.sampled_from([0, 1, 99, 100, 101, 200, 500]), st.integers(0, 1200))


@pytest.mark.parametrize("dialect", DECLARED)
@settings(max_examples=EXAMPLES)
@given(count=COUNTS, window=st.integers(1, 20))
def test_all_records_come_once_and_in_order(dialect: str, count: int, window: int) -> None:
    records = make_records(count)
    driver = Driver(DECLARED[dialect](), PAGING[dialect], records).run(window).finish()
    assert driver.taken == records
    assert [page.number for page in driver.pages] == list(range(1, len(driver.pages) + 1))


@pytest.mark.parametrize("dialect", DECLARED)
@settings(max_examples=EXAMPLES)
@given(count=COUNTS, window=st.integers(1, 20), landed=st.integers(0, 13))
def test_landed_pages_lead_to_where_an_uninterrupted_extraction_is(
    dialect: str, count: int, window: int, landed: int
) -> None:
    records = make_records(count)
    pages = Driver(DECLARED[dialect](), PAGING[dialect], records).run(window, stop_after=landed).pages
    resumed = Driver(DECLARED[dialect](), PAGING[dialect], records).feed(pages).run(window).finish()
    assert resumed.taken == records
    whole = Driver(DECLARED[dialect](), PAGING[dialect], records).run(1)
    assert [page.url for page in resumed.pages] == [page.url for page in whole.pages]
    assert [page.next_state for page in resumed.pages] == [page.next_state for page in whole.pages]


@pytest.mark.parametrize("dialect", DECLARED)
def test_a_declaration_takes_fifteen_lines_at_most(dialect: str) -> None:
    from tests.benchmarks.extract.dialects import count_lines  # noqa: PLC0415

    assert count_lines(DECLARED[dialect]) <= 15


@pytest.mark.parametrize("dialect", DECLARED)
def test_few_pages_are_asked_for_that_do_not_exist(dialect: str) -> None:
    driver = Driver(DECLARED[dialect](), PAGING[dialect], make_records(5_000)).run(8)
    assert len(driver.requests) <= len(driver.pages) + 8
