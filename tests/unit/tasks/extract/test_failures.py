import pytest
import requests

from tasks.errors import ConfigurationError, FatalError, PipelineError, RetriableError
from tasks.extract.failures import Failures, TooMuchAskedError
from tasks.extract.reported import ReportedError
from tests.unit.tasks.extract.fake_api import NOW, SOURCE

FAILURES = Failures(
    SOURCE, "nyc_flights: flights page 3", "https://api.example.test/flights?page=3", "try 1 of 6"
)


def of_status(status: int, body: bytes = b"", **headers: str) -> PipelineError:
    response = requests.Response()
    response.status_code, response.reason = status, "Reason"
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return FAILURES.of_status(response, body, NOW)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 522, 529])
def test_a_failure_that_may_pass_is_retriable(status: int) -> None:
    assert isinstance(of_status(status), RetriableError)


@pytest.mark.parametrize("status", [400, 405, 410, 422, 501, 204])
def test_a_request_that_is_not_answered_is_fatal(status: int) -> None:
    assert isinstance(of_status(status), FatalError)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_secret_is_named_with_where_it_is_looked_up(status: int) -> None:
    error = of_status(status)
    assert isinstance(error, ConfigurationError)
    assert "ASSAY_SECRET_FLIGHTS_TOKEN" in str(error)
    assert "Secret block 'flights-token'" in str(error)


def test_a_wrong_path_is_a_matter_of_configuration() -> None:
    error = of_status(404, b"no such thing")
    assert isinstance(error, ConfigurationError)
    assert "base_url and the resource's path" in str(error)


def test_an_error_names_who_where_what_and_which_try() -> None:
    assert str(of_status(500, b"oops")) == (
        "nyc_flights: flights page 3: https://api.example.test/flights?page=3 answered 500 Reason 'oops' "
        "(try 1 of 6)"
    )


def test_a_body_is_quoted_escaped_and_short() -> None:
    error = str(of_status(500, b"\x1b[31m<b>\xff\xc3\xa9" + b"x" * 1000))
    assert error.isascii()
    assert error.isprintable()
    assert len(error) < 350


@pytest.mark.parametrize(
    "headers",
    [{"Retry_After": "7"}, {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "7"}],
)
def test_a_forbidden_that_means_too_much_is_asked_again_later(headers: dict[str, str]) -> None:
    error = of_status(403, b"", **headers)
    assert isinstance(error, TooMuchAskedError)
    assert error.retry_after_s == 7


def test_an_error_inside_a_success_passes_or_fails_as_declared() -> None:
    passing = FAILURES.of_report(ReportedError("ratelimited", is_retriable=True))
    final = FAILURES.of_report(ReportedError("no such field", is_retriable=False))
    assert (type(passing), type(final)) == (RetriableError, FatalError)
    assert "reported an error: no such field" in str(final)


@pytest.mark.parametrize(
    ("exc", "kind", "said"),
    [
        (requests.ConnectionError("[Errno 111] Connection refused"), RetriableError, "Is it up?"),
        (requests.ConnectionError("NameResolutionError: x"), RetriableError, "cannot be resolved"),
        (requests.ConnectionError("Connection aborted, reset by peer"), RetriableError, "broke"),
        (requests.ConnectTimeout(), RetriableError, "could not be reached within 5 s"),
        (requests.ReadTimeout(), RetriableError, "did not answer"),
        (requests.ConnectionError("Read timed out."), RetriableError, "did not answer"),
        (requests.exceptions.ChunkedEncodingError("IncompleteRead(5)"), RetriableError, "damaged body"),
        (requests.exceptions.ContentDecodingError("bad gzip"), RetriableError, "damaged body"),
        (requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"), ConfigurationError, "not trusted"),
        (requests.exceptions.InvalidURL("x"), ConfigurationError, "cannot be asked"),
    ],
)
def test_silence_is_explained(exc: requests.RequestException, kind: type[PipelineError], said: str) -> None:
    error = FAILURES.of_exception(exc)
    assert type(error) is kind
    assert said in str(error)
