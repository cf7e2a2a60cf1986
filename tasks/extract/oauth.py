"""OAuth2 tokens: asked for with the client's credentials or a refresh token, shared, renewed in time."""

import copy
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import requests
from msgspec import Struct

from tasks.errors import ConfigurationError, PipelineError, RetriableError
from tasks.extract.body import Deadline, read_body
from tasks.extract.masking import Mask, encode_basic
from tasks.extract.quota import read_pause
from tasks.extract.sessions import DirectSession
from tasks.extract.urls import trusts_environment
from tasks.pipeline import OAuth2

_log = logging.getLogger(__name__)

_TIMEOUT_S = 30.0
_EARLY_S = 60.0
"""A token is renewed so long before it expires, or at nine tenths of a life shorter than ten minutes."""
_FINAL = (400, 401, 403)


class Granted(Struct, frozen=True):
    """The answer to a token request (RFC 6749, 5.1)."""

    access_token: str
    expires_in: float | None = None
    refresh_token: str | None = None


class Refused(Struct, frozen=True):
    """The answer to a token request that fails (RFC 6749, 5.2)."""

    error: str = ""
    error_description: str = ""


class OAuthToken:
    """The token that all connections of a source share; safe to use from several threads."""

    def __init__(
        self,
        declared: OAuth2,
        secrets: Mapping[str, str],
        mask: Mask,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.mask = mask
        self._declared = declared
        self._secrets = dict(secrets)
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at: float | None = None
        self._failure: PipelineError | None = None
        self._failed_at = 0.0

    def __repr__(self) -> str:
        return f"OAuthToken({self._declared.token_url!r})"

    def current(self) -> str:
        """The token; a new one when the last is about to expire: one thread asks, the others wait for it.

        Raises:
            ConfigurationError: The credentials are refused.
            RetriableError: The token could not be had now.
        """
        began = self._clock()
        with self._lock:
            if self._token is None or (self._renew_at is not None and self._clock() >= self._renew_at):
                self._token = self._ask_for_all(began)
            return self._token

    def forget(self, refused: str) -> None:
        """Have another token asked for in place of the one that was refused, unless there is one by now."""
        with self._lock:
            if self._token == refused:
                _log.info("%s: the token was refused; renewing it.", self._declared.token_url)
                self._token = None

    def _ask_for_all(self, began: float) -> str:
        """A new token; who has waited for one since `began` shares the failure of the thread that asked."""
        if self._failure is None or self._failed_at <= began:
            try:
                return self._ask()
            except PipelineError as exc:
                self._failure, self._failed_at = exc.with_traceback(None), self._clock()
        # A copy for each thread: who catches it adds what was asked for.
        raise copy.copy(self._failure)

    def _ask(self) -> str:
        asked_at = self._clock()
        response, body = self._post()
        if response.status_code not in (requests.codes.ok, requests.codes.created):
            raise self._explain(response, body)
        try:
            granted = msgspec.json.decode(body, type=Granted, strict=False)
        except msgspec.MsgspecError as exc:
            # Not chained, and the body not shown: there may be a token in it.
            reason = str(exc)
        else:
            return self._keep(granted, asked_at)
        raise RetriableError(f"{self._declared.token_url} answered without a token to be read: {reason}")

    def _keep(self, granted: Granted, asked_at: float) -> str:
        self.mask.add(granted.access_token)
        # A life of 0 says nothing: some mean by it that the token does not expire.
        life_s = max(granted.expires_in or 0.0, 0.0)
        self._renew_at = asked_at + life_s - min(_EARLY_S, life_s / 10) if life_s else None
        refresh = self._declared.refresh_secret
        if refresh and granted.refresh_token and granted.refresh_token != self._secrets[refresh]:
            self.mask.add(granted.refresh_token)
            self._secrets[refresh] = granted.refresh_token
            _log.warning(
                "%s gave a new refresh token, which this run uses. If the old one is void now, the next run "
                "will be refused: ask the API for refresh tokens that do not rotate.",
                self._declared.token_url,
            )
        return granted.access_token

    def _post(self) -> tuple[requests.Response, bytes]:
        declared = self._declared
        form = {**declared.params, **self._grant()}
        if declared.scope:
            form["scope"] = declared.scope
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
        secret = self._secrets[declared.client_secret] if declared.client_secret else None
        if secret is None or declared.client_auth == "form":
            form |= {"client_id": declared.client_id} | ({"client_secret": secret} if secret else {})
        else:
            encoded = encode_basic(declared.client_id, secret)
            self.mask.add(encoded)
            headers["Authorization"] = f"Basic {encoded}"
        try:
            return self._send(form, headers)
        except requests.RequestException as exc:
            failure = f"{type(exc).__name__}: {self.mask.text(str(exc))}"
        except PipelineError as exc:
            failure = str(exc)
        raise RetriableError(f"No token could be had from {declared.token_url}: {failure}")

    def _send(self, form: dict[str, str], headers: dict[str, str]) -> tuple[requests.Response, bytes]:
        url, deadline = self._declared.token_url, Deadline(_TIMEOUT_S)
        with DirectSession() as session:
            session.trust_env = trusts_environment(url)
            # Not followed: a redirect could lead the client's secret to another origin.
            with session.post(
                url, data=form, headers=headers, timeout=_TIMEOUT_S, auth=_as_it_is
            ) as response:
                return response, read_body(response, deadline)

    def _grant(self) -> dict[str, str]:
        refresh = self._declared.refresh_secret
        if refresh is None:
            return {"grant_type": "client_credentials"}
        return {"grant_type": "refresh_token", "refresh_token": self._secrets[refresh]}

    def _explain(self, response: requests.Response, body: bytes) -> Exception:
        url, status = self._declared.token_url, response.status_code
        try:
            refused = msgspec.json.decode(body, type=Refused)
        except msgspec.MsgspecError:
            refused = Refused()
        reason = " ".join(filter(None, (refused.error, refused.error_description)))
        said = f"{url} answered {status}{': ' if reason else ''}{ascii(self.mask.text(reason))[1:-1][:300]}"
        if status in _FINAL or 300 <= status < 400:
            names = ", ".join(map(repr, self._secrets))
            return ConfigurationError(
                f"{said}. Check token_url, client_id and the secrets {names}.{self._explain_grant(refused)}"
            )
        return RetriableError(said, retry_after_s=read_pause(response.headers, time.time(), refused=True))

    def _explain_grant(self, refused: Refused) -> str:
        refresh = self._declared.refresh_secret
        if refresh is None or refused.error not in ("", "invalid_grant"):
            return ""
        return (
            f" The refresh token in {refresh!r} may be void: expired, withdrawn, or used up, where each use "
            f"brings a new one, which a run warns of. Such a one is not kept here: get a refresh token that "
            f"does not rotate, or set {refresh!r} anew before each run."
        )


def _as_it_is(request: Any) -> Any:
    """No credentials of a `.netrc` file."""
    return request
