import logging
import threading

import pytest
import requests

from tasks.errors import ConfigurationError, FatalError, RetriableError
from tasks.extract.client import ApiClient, open_client
from tasks.extract.envelope import Envelope
from tasks.extract.failures import ExtractionStopped
from tasks.extract.pages import Answer, PageRequest
from tests.unit.tasks.extract.fake_api import (
    FLIGHTS,
    SOURCE,
    TOKEN,
    FakeApi,
    Reply,
    find_secret,
    make_flight,
    serve,
)

PAGE = serve([[make_flight(1)]])(1, 0)


def fetch(api: ApiClient, stop: threading.Event | None = None) -> Answer:
    envelope = Envelope("data", {"total_pages": "pages"})
    return api.fetch(FLIGHTS, PageRequest(1, {"page": "1"}), envelope, stop or threading.Event())


@pytest.mark.parametrize(
    "failure",
    [
        Reply(b"", 503),
        Reply(b"", 429, {"Retry-After": "0"}),
        Reply(b"<!doctype html><h1>Maintenance</h1>"),
        Reply(PAGE.body[:-5]),
        Reply(b""),
        Reply(b'{"error": "later"}'),
        Reply(b'{"data": null, "pages": 1}'),
        requests.ConnectionError("reset by peer"),
        requests.exceptions.ChunkedEncodingError("IncompleteRead"),
    ],
)
def test_what_may_pass_is_asked_for_again(failure: Reply | Exception) -> None:
    api = FakeApi(lambda _page, earlier: failure if earlier < 2 else PAGE)
    assert fetch(api).facts == {"total_pages": 1}
    assert api.asked == [1, 1, 1]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_what_will_not_pass_is_asked_for_once(status: int) -> None:
    api = FakeApi(lambda _page, _earlier: Reply(b"", status))
    with pytest.raises((ConfigurationError, FatalError)):
        fetch(api)
    assert api.asked == [1]


def test_the_attempts_declared_are_the_attempts_made() -> None:
    api = FakeApi(lambda _page, _earlier: Reply(b"oops", 500), SOURCE.model_copy(update={"attempts": 3}))
    with pytest.raises(RetriableError, match=r"flights page 1: .* answered 500 Reason 'oops' \(try 3 of 3\)"):
        fetch(api)
    assert api.asked == [1, 1, 1]


def test_a_long_retry_after_is_left_to_the_caller() -> None:
    api = FakeApi(lambda _page, _earlier: Reply(b"", 429, {"Retry-After": "3600"}))
    with pytest.raises(RetriableError) as error:
        fetch(api)
    assert error.value.retry_after_s == 3600
    assert api.asked == [1]


def test_retry_after_pauses_the_whole_source() -> None:
    source = SOURCE.model_copy(update={"attempts": 1})
    api = FakeApi(lambda _page, _earlier: Reply(b"", 503, {"Retry-After": "60"}), source)
    with pytest.raises(RetriableError):
        fetch(api)
    assert api._limiter._try_to_send() > 50


def test_a_stopped_fetch_gives_up() -> None:
    client = ApiClient(SOURCE, "nyc_flights", find_secret)
    stop = threading.Event()
    stop.set()
    with pytest.raises(ExtractionStopped):
        fetch(client, stop)


def test_a_retry_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    open_client(SOURCE, "nyc_flights", find_secret).close()
    api = FakeApi(lambda _page, earlier: PAGE if earlier else Reply(b"oops", 503))
    with caplog.at_level(logging.WARNING):
        fetch(api)
    assert "flights page 1" in caplog.text
    assert "Trying again in" in caplog.text


def test_a_secret_repeated_by_the_api_is_masked_in_the_page(caplog: pytest.LogCaptureFixture) -> None:
    body = PAGE.body.replace(b"UA", TOKEN.encode())
    page = fetch(FakeApi(lambda _page, _earlier: Reply(body))).page
    assert TOKEN.encode() not in page.body
    assert "it is masked" in caplog.text


def test_a_secret_repeated_by_the_api_is_not_in_the_error() -> None:
    with pytest.raises(FatalError) as error:
        fetch(FakeApi(lambda _page, _earlier: Reply(f"bad token {TOKEN}".encode(), 400)))
    assert TOKEN not in str(error.value)


def test_the_url_joins_base_path_and_parameters() -> None:
    client = open_client(SOURCE.model_copy(update={"base_url": "https://a.test/v1/"}), "p", find_secret)
    request = PageRequest(1, {"since": "2013-01-01T00:00:00Z", "page": "1"})
    assert (
        client.url_of(FLIGHTS, request) == "https://a.test/v1/flights?since=2013-01-01T00%3A00%3A00Z&page=1"
    )
    client.close()


def test_credentials_in_the_address_are_refused_unseen() -> None:
    with pytest.raises(ConfigurationError) as error:
        open_client(SOURCE.model_copy(update={"base_url": "https://me:hidden@a.test"}), "p", find_secret)
    assert "hidden" not in str(error.value)


def test_fetch_on_a_closed_client_ends_instead_of_waiting() -> None:
    api = open_client(SOURCE, "test", find_secret)
    api.close()
    outcome: list[BaseException] = []

    def fetch_late() -> None:
        try:
            fetch(api)
        except ExtractionStopped as exc:
            outcome.append(exc)

    late = threading.Thread(target=fetch_late, daemon=True)
    late.start()
    late.join(timeout=5)

    assert len(outcome) == 1
