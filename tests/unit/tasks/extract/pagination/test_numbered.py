import pytest

from tasks.extract.pages import PageRequest
from tasks.extract.pagination.numbered import NumberedPages
from tasks.extract.pagination.protocol import PagesShiftedError
from tasks.pipeline import PageNumber
from tests.unit.tasks.extract.pagination.driving import make_answer

TOTALS = PageNumber(page_size=1000, total_pages="pages", total_records="total")


def open_pages(declared: PageNumber = TOTALS, **params: str) -> NumberedPages:
    return NumberedPages("flights", declared, PageRequest(0, params))


def ask_all(paginator: NumberedPages) -> list[dict[str, str]]:
    requests = []
    while request := paginator.next_request():
        requests.append(request.params)
    return requests


def test_only_the_first_page_is_known_before_it_came() -> None:
    assert ask_all(open_pages()) == [{"per_page": "1000", "page": "1"}]


def test_all_pages_are_known_after_the_first() -> None:
    paginator = open_pages(since="2013-01-01")
    ask_all(paginator)
    paginator.take(make_answer(1, total_pages=3, total_records=2500))
    assert ask_all(paginator) == [
        {"since": "2013-01-01", "per_page": "1000", "page": "2"},
        {"since": "2013-01-01", "per_page": "1000", "page": "3"},
    ]


def test_names_and_numbers_are_as_declared() -> None:
    declared = PageNumber(param="p", size_param=None, first=0, total_pages="meta.last")
    paginator = open_pages(declared)
    assert list(paginator.reads) == ["total_pages"]
    assert ask_all(paginator) == [{"p": "0"}]
    paginator.take(make_answer(1, total_pages=2))
    assert ask_all(paginator) == [{"p": "1"}]


def test_no_page_follows_when_there_are_none() -> None:
    paginator = open_pages()
    ask_all(paginator)
    paginator.take(make_answer(1, total_pages=0, total_records=0))
    assert ask_all(paginator) == []
    paginator.finish(0)


def test_a_page_that_announces_another_total_is_refused() -> None:
    paginator = open_pages()
    paginator.take(make_answer(1, total_pages=3, total_records=2500))
    with pytest.raises(PagesShiftedError, match=r"page 1 announced .*2500, page 2 .*2501"):
        paginator.take(make_answer(2, total_pages=3, total_records=2501))


def test_a_sum_other_than_announced_is_refused() -> None:
    paginator = open_pages()
    paginator.take(make_answer(1, total_pages=1, total_records=336776))
    with pytest.raises(PagesShiftedError, match="announced 336776, received 336775"):
        paginator.finish(336775)


def test_any_sum_will_do_when_none_is_announced() -> None:
    paginator = open_pages(PageNumber(total_pages="pages"))
    paginator.take(make_answer(1, total_pages=1))
    paginator.finish(5)
