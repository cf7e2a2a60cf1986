"""An API's client: sessions, time-outs, retries, rate limit and secret, shared by a source's resources."""

import contextlib
import hashlib
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from importlib.metadata import version
from typing import NamedTuple, Self
from urllib.parse import urlencode, urlsplit

import requests
from stamina.instrumentation import set_on_retry_hooks

from tasks.errors import ConfigurationError, FatalError, PipelineError
from tasks.extract.auth import Anonymous, authenticate
from tasks.extract.body import Deadline, read_body
from tasks.extract.envelope import Envelope
from tasks.extract.failures import ExtractionStopped, Failures
from tasks.extract.limiter import RateLimiter
from tasks.extract.masking import QuietLibraries
from tasks.extract.origins import Call, OriginSession
from tasks.extract.pages import EMPTY, WITH_BODY, Answer, Page, PageRequest, utc_now
from tasks.extract.patience import LONGEST_PAUSE_S, ask_patiently, log_retry
from tasks.extract.quota import read_pause
from tasks.extract.reported import ReportedError
from tasks.pipeline import Resource, RestApi
from tasks.ports import Secrets

_log = logging.getLogger(__name__)

_HEADERS = {
    "Accept": "application/json, */*;q=0.5",
    # No br or zstd: whether they can be read depends on what else is installed.
    "Accept-Encoding": "gzip, deflate",
}

_RENEWALS = 3
"""More than one: other threads may have used a new secret up before this one had its turn."""


class Limits(NamedTuple):
    """What ends a page's fetch from outside."""

    deadline: Deadline
    stop: threading.Event


class ApiClient:
    """Fetches pages of one source; safe to share between the threads of all its resources.

    At most `source.connections` requests are under way at once, whatever the number of threads.
    """

    def __init__(
        self, source: RestApi, pipeline: str, secrets: Secrets, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        if urlsplit(source.base_url).username is not None:
            raise ConfigurationError(
                f"{pipeline}: base_url carries credentials, which would end up in logs. Take them out, and "
                f"declare auth=Bearer(secret=…)."
            )
        self.source = source
        self.pipeline = pipeline
        self.stop = threading.Event()
        """Ends all extractions that use this client, within a moment."""
        self.failure: PipelineError | None = None
        self._secrets = secrets
        self._now = now
        self._quiet = ExitStack()
        self._limiter = RateLimiter(source.rate_limit)
        self._agent = f"assay/{version('assay')} (pipeline {pipeline})"
        self._sessions: queue.LifoQueue[OriginSession | None] = queue.LifoQueue()
        for _ in range(source.connections):
            self._sessions.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop what still runs, and close the connections."""
        self.stop.set()
        self._quiet.close()
        idle = []
        with contextlib.suppress(queue.Empty):
            while True:
                idle.append(self._sessions.get_nowait())
        for session in idle:
            if session:
                session.close()
            # A thread that waits for a session must get one, to learn that it is to stop.
            self._sessions.put(None)

    def fail(self, error: PipelineError) -> None:
        """End the extractions of all resources: they fail with the first error that was given here."""
        self.failure = self.failure or error
        self.stop.set()

    def sign_in(self) -> None:
        """Look the secret up, in the caller's thread; a replay from the landing zone needs none.

        Raises:
            ConfigurationError: It is nowhere, or cannot be sent.
        """
        _ = self._auth

    @cached_property
    def _auth(self) -> Anonymous:
        auth = authenticate(self.source.auth, self._secrets)
        self._quiet.enter_context(QuietLibraries(auth.mask))
        return auth

    def url_of(self, resource: Resource, request: PageRequest) -> str:
        """The page's address; what is secret is added when it is sent."""
        if request.url is not None:
            return request.url
        url = f"{self.source.base_url.rstrip('/')}/{(request.path or resource.path).lstrip('/')}"
        return f"{url}{'&' if '?' in url else '?'}{urlencode(request.params)}" if request.params else url

    def fetch(
        self, resource: Resource, request: PageRequest, envelope: Envelope, stop: threading.Event
    ) -> Answer:
        """One page, asked for again as long as what is wrong with it may pass.

        Raises:
            ConfigurationError: The address, the path or the secret is wrong.
            RetriableError: It still fails after `source.attempts` tries or `source.deadline_s`, or the API
                asked to be left alone for longer than `LONGEST_PAUSE_S`.
            FatalError: The API will not answer this request, or it leads to another origin.
            ExtractionStopped: `stop` was set meanwhile.
        """
        limits = Limits(Deadline(self.source.deadline_s), stop)
        url = self.url_of(resource, request)
        # A link that the API gave may hold its key.
        who, shown = f"{self.pipeline}: {resource.name} page {request.number}", self._auth.mask.text(url)
        call = Call(request.method, url, request.body, _headers_of(request))

        def ask(tries: str) -> Answer:
            failures = Failures(self.source, who, shown, tries, self._auth.mask.text)
            return self._fetch_once(request, call, envelope, failures, limits)

        return ask_patiently(
            ask, attempts=self.source.attempts, deadline=limits.deadline, limiter=self._limiter
        )

    def _fetch_once(
        self, request: PageRequest, call: Call, envelope: Envelope, failures: Failures, limits: Limits
    ) -> Answer:
        response, raw = self._get(call, failures, limits)
        for _ in range(_RENEWALS):
            if response.status_code != HTTPStatus.UNAUTHORIZED or not self._auth.renew(response.request):
                break
            response, raw = self._get(call, failures, limits)
        body = self._auth.mask.body(raw)
        if response.status_code not in (*WITH_BODY, *EMPTY, *request.accepts):
            raise failures.of_status(response, body, self._now())
        if pause_s := read_pause(response.headers, self._now().timestamp()):
            # All threads share its quota.
            self._limiter.pause(min(pause_s, LONGEST_PAUSE_S))
        if body is not raw:
            _log.warning("%s: the API repeated the secret in its answer; it is masked.", failures.who)
        page = Page(
            number=request.number,
            url=failures.url,
            status=response.status_code,
            content_type=response.headers.get("Content-Type", ""),
            fetched_at=self._now(),
            sha256=hashlib.sha256(body).hexdigest(),
            body=body,
            headers=envelope.keep_headers(response.headers),
            request_body=request.body,
        )
        try:
            return envelope.open_page(page)
        except ReportedError as exc:
            raise failures.of_report(exc) from exc
        except ValueError as exc:
            raise failures.of_body(response, body, str(exc)) from exc

    def _get(self, call: Call, failures: Failures, limits: Limits) -> tuple[requests.Response, bytes]:
        with self._session() as session:
            self._limiter.wait(limits.stop)
            if limits.stop.is_set() or self.stop.is_set():
                raise ExtractionStopped(f"{failures.who}: stopped.")
            try:
                # Closed whatever happens: a body that breaks off would keep its socket until it is collected.
                with session.send(call, self._timeouts(limits.deadline)) as response:
                    return response, read_body(response, limits.deadline)
            except requests.RequestException as exc:
                error: PipelineError = failures.of_exception(exc)
            except PipelineError as exc:
                raise failures.of_part(exc) from None
            except ValueError as exc:
                reason = self._auth.mask.text(str(exc))
                error = FatalError(
                    f"{failures.who}: {failures.url} is redirected to what is no address: {reason}"
                )
        # Not chained: what the libraries raise shows the address with what is secret in it.
        raise error

    def _timeouts(self, deadline: Deadline) -> tuple[float, float]:
        left_s = max(deadline.left_s, 0.001)
        return min(self.source.connect_timeout_s, left_s), min(self.source.timeout_s, left_s)

    @contextlib.contextmanager
    def _session(self) -> Iterator[OriginSession]:
        session = self._sessions.get()
        try:
            if session is None:
                session = OriginSession(self.source, self._auth, _HEADERS | {"User-Agent": self._agent})
            yield session
        finally:
            if session and self.stop.is_set():
                session.close()
            self._sessions.put(session)


def open_client(source: RestApi, pipeline: str, secrets: Secrets) -> ApiClient:
    """A client of a source, to be closed after use; retries are logged in our words from here on."""
    set_on_retry_hooks([log_retry])
    return ApiClient(source, pipeline, secrets)


def _headers_of(request: PageRequest) -> dict[str, str]:
    return (
        request.headers if request.json is None else {"Content-Type": "application/json", **request.headers}
    )
