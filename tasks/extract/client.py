"""An API's client: sessions, time-outs, retries, rate limit and secret, shared by a source's resources."""

import contextlib
import hashlib
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Self
from urllib.parse import urlencode, urlsplit

import requests
import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from tasks.errors import ConfigurationError, PipelineError, RetriableError
from tasks.extract.auth import Anonymous, SameOriginSession, authenticate
from tasks.extract.envelope import Envelope
from tasks.extract.failures import ExtractionStopped, Failures
from tasks.extract.limiter import RateLimiter
from tasks.extract.pages import Answer, Page, PageRequest, utc_now
from tasks.pipeline import Resource, RestApi
from tasks.ports import Secrets

_log = logging.getLogger(__name__)

_READ_BYTES = 1_000_000
"""A page in one go: `Response.content` reads 10 KB at a time, at half the speed."""

LONGEST_PAUSE_S = 120.0
"""An API that asks for more is left to the Prefect task, which retries later and blocks no worker."""


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
        self._limiter = RateLimiter(source.rate_limit)
        self._sessions: queue.LifoQueue[requests.Session | None] = queue.LifoQueue()
        for _ in range(source.connections):
            self._sessions.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop what still runs, and close the connections."""
        self.stop.set()
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
        return authenticate(self.source.auth, self._secrets)

    def url_of(self, resource: Resource, request: PageRequest) -> str:
        """The page's address, as it is sent, logged and kept; the secret travels in a header."""
        url = f"{self.source.base_url.rstrip('/')}/{resource.path.lstrip('/')}"
        return f"{url}{'&' if '?' in url else '?'}{urlencode(request.params)}" if request.params else url

    def fetch(
        self, resource: Resource, request: PageRequest, envelope: Envelope, stop: threading.Event
    ) -> Answer:
        """One page, asked for again with back-off as long as what is wrong with it may pass.

        Raises:
            ConfigurationError: The address, the path or the secret is wrong.
            RetriableError: It still fails after `source.attempts` tries, or the API asked to be left alone
                for longer than `LONGEST_PAUSE_S`.
            FatalError: The API will not answer this request.
            ExtractionStopped: `stop` was set meanwhile.
        """
        attempts = self.source.attempts
        url = self.url_of(resource, request)
        who = f"{self.pipeline}: {resource.name} page {request.number}"
        for attempt in stamina.retry_context(
            on=_may_pass, attempts=attempts, timeout=None, wait_initial=0.1, wait_max=5.0, wait_jitter=0.3
        ):
            with attempt:
                tries = f"try {attempt.num} of {attempts}"
                failures = Failures(self.source, who, url, tries)
                return self._fetch_once(request.number, envelope, stop, failures)
        raise AssertionError("stamina raises the last error")

    def _fetch_once(
        self, number: int, envelope: Envelope, stop: threading.Event, failures: Failures
    ) -> Answer:
        response, raw = self._get(failures, stop)
        body = self._auth.mask(raw)
        if response.status_code != HTTPStatus.OK:
            error = failures.of_status(response, body, self._now())
            pause_s = getattr(error, "retry_after_s", None) or 0.0
            self._limiter.pause(min(pause_s, LONGEST_PAUSE_S))
            raise error
        if body is not raw:
            _log.warning("%s: the API repeated the secret in its answer; it is masked.", failures.who)
        try:
            records, facts, fingerprint = envelope.open(body)
        except ValueError as exc:
            raise failures.of_body(response, body, str(exc)) from exc
        page = Page(
            number=number,
            url=failures.url,
            status=response.status_code,
            content_type=response.headers.get("Content-Type", ""),
            fetched_at=self._now(),
            sha256=hashlib.sha256(body).hexdigest(),
            body=body,
        )
        return Answer(page, records, facts, fingerprint)

    def _get(self, failures: Failures, stop: threading.Event) -> tuple[requests.Response, bytes]:
        with self._session() as session:
            self._limiter.wait(stop)
            if stop.is_set() or self.stop.is_set():
                raise ExtractionStopped(f"{failures.who}: stopped.")
            try:
                timeouts = (self.source.connect_timeout_s, self.source.timeout_s)
                # Closed whatever happens: a body that breaks off would keep its socket until it is collected.
                with session.get(failures.url, timeout=timeouts, stream=True) as response:
                    return response, b"".join(response.iter_content(_READ_BYTES))
            except requests.RequestException as exc:
                raise failures.of_exception(exc) from exc

    @contextlib.contextmanager
    def _session(self) -> Iterator[requests.Session]:
        session = self._sessions.get()
        try:
            if session is None:
                session = SameOriginSession(self.source.base_url, self._auth)
                session.headers["User-Agent"] = f"assay/0.1 (pipeline {self.pipeline})"
                session.headers["Accept"] = "application/json"
            yield session
        finally:
            if session and self.stop.is_set():
                session.close()
            self._sessions.put(session)


def open_client(source: RestApi, pipeline: str, secrets: Secrets) -> ApiClient:
    """A client of a source, to be closed after use; retries are logged in our words from here on."""
    set_on_retry_hooks([_log_retry])
    return ApiClient(source, pipeline, secrets)


def _may_pass(exc: Exception) -> bool:
    return isinstance(exc, RetriableError) and (exc.retry_after_s or 0.0) <= LONGEST_PAUSE_S


def _log_retry(details: RetryDetails) -> None:
    asked_s = getattr(details.caused_by, "retry_after_s", None) or 0.0
    _log.warning("%s. Trying again in %.1f s.", details.caused_by, max(details.wait_for, asked_s))
