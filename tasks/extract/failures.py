"""What can go wrong with a request, sorted by what the caller does next, in words that help."""

import datetime as dt
from collections.abc import Callable
from http import HTTPStatus

import requests
from msgspec import Struct

from tasks.errors import ConfigurationError, FatalError, PipelineError, RetriableError
from tasks.extract.auth import describe_secrets
from tasks.extract.quota import read_pause
from tasks.extract.reported import ReportedError
from tasks.pipeline import RestApi

_PASSING = {408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529}
"""Statuses that pass; 52x are a proxy's words for an origin that does not answer, 529 for overload."""

_DAMAGED = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)
_MISTYPED = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.TooManyRedirects,
)
_EXCERPT_CHARS = 200


class ExtractionStopped(PipelineError):  # noqa: N818 (it is not the error, it follows one)
    """The extraction was told to stop, because something else failed."""


class TooMuchAskedError(RetriableError):
    """The API's quota is used up for now: no fault of this request, which is asked again later."""


class Failures(Struct, frozen=True):
    """Writes the errors of one page's request: who asked for what, and which try it was.

    Bodies and addresses come masked, and `mask` takes the secrets out of what libraries say.
    """

    source: RestApi
    who: str
    url: str
    tries: str
    mask: Callable[[str], str] = str

    def of_exception(self, exc: requests.RequestException) -> PipelineError:
        """The error that a request which got no whole response ends in."""
        if isinstance(exc, _MISTYPED):
            return ConfigurationError(f"{self.who}: {self.url} cannot be asked: {self.mask(str(exc))}")
        if isinstance(exc, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(exc):
            return ConfigurationError(
                f"{self.who}: the certificate of {self.source.base_url} is not trusted: {exc}. "
                f"If it is signed by your own authority, name its file in REQUESTS_CA_BUNDLE."
            )
        return RetriableError(f"{self.who}: {self._describe_silence(exc)} ({self.tries})")

    def of_status(self, response: requests.Response, body: bytes, now: dt.datetime) -> PipelineError:
        """The error that a response without success ends in."""
        status = response.status_code
        said = f"{self.who}: {self.url} answered {_describe(response, body)} ({self.tries})"
        pause_s = read_pause(response.headers, now.timestamp(), refused=status == 429)
        # Some say Forbidden when too much was asked, GitHub among them.
        if status == HTTPStatus.TOO_MANY_REQUESTS or (status == HTTPStatus.FORBIDDEN and pause_s is not None):
            return TooMuchAskedError(said, retry_after_s=pause_s)
        if status in (401, 403):
            return ConfigurationError(f"{said}\n{self._explain_refusal()}")
        if status in _PASSING:
            return RetriableError(said, retry_after_s=pause_s)
        if status == HTTPStatus.NOT_FOUND:
            return ConfigurationError(f"{said}\nCheck base_url and the resource's path.")
        return FatalError(said)

    def of_body(self, response: requests.Response, body: bytes, reason: str) -> RetriableError:
        """The error that a success without a page in it ends in: it passes, a proxy's error page did it."""
        return RetriableError(
            f"{self.who}: {self.url} answered {_describe(response, body)}, which is not the expected page: "
            f"{reason} ({self.tries})"
        )

    def of_report(self, reported: ReportedError) -> PipelineError:
        """The error that the API reported in the body of a success."""
        said = f"{self.who}: {self.url} reported an error: {self.mask(str(reported))} ({self.tries})"
        return RetriableError(said) if reported.is_retriable else FatalError(said)

    def of_part(self, exc: PipelineError) -> PipelineError:
        """The same error with who asked for what: it came from a part that did not know."""
        exc.args = (f"{self.who}: {self.url}: {exc} ({self.tries})",)
        return exc

    def _explain_refusal(self) -> str:
        if self.source.auth is None:
            return "No secret was sent: declare auth=Bearer(secret=…) if the API needs one."
        return f"Check the secret: {describe_secrets(self.source.auth)}."

    def _describe_silence(self, exc: requests.RequestException) -> str:
        api = f"the API at {self.source.base_url}"
        text = self.mask(str(exc))
        if isinstance(exc, requests.exceptions.ConnectTimeout):
            return f"{api} could not be reached within {self.source.connect_timeout_s:g} s. Is it right?"
        if isinstance(exc, requests.exceptions.Timeout) or "Read timed out" in text:
            return (
                f"{api} did not answer {self.url} within {self.source.timeout_s:g} s, or its deadline of "
                f"{self.source.deadline_s:g} s ended. If it is just slow, declare a greater timeout_s."
            )
        if isinstance(exc, _DAMAGED):
            return f"{self.url} sent a damaged body: {type(exc).__name__}: {text}"
        if "NameResolutionError" in text or "Name or service not known" in text:
            return f"the name of {api} cannot be resolved. Is it written right?"
        if "Connection refused" in text or "WinError 10061" in text:
            return f"{api} refuses connections. Is it up?"
        return f"the connection to {api} broke at {self.url}: {text}"


def _describe(response: requests.Response, body: bytes) -> str:
    """Status and the first characters of the body, escaped."""
    text = body[: 4 * _EXCERPT_CHARS].decode("utf-8", "replace")[:_EXCERPT_CHARS]
    reason = ascii(response.reason or "")[1:-1]
    return f"{response.status_code} {reason} {ascii(text)[:_EXCERPT_CHARS]}"
