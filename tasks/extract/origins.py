"""Requests stay with the origin that was declared: nothing that was declared for one goes to another."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from msgspec import Struct

from tasks.errors import ConfigurationError, FatalError
from tasks.extract.auth import Anonymous
from tasks.extract.sessions import DirectSession
from tasks.extract.urls import Origin, origin_of, resolve, trusts_environment
from tasks.pipeline import RestApi

_MOST_REDIRECTS = 10
_BECOMES_GET = (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND)


class Call(Struct, frozen=True):
    """A request without its secrets."""

    method: str
    url: str
    body: bytes | None = None
    headers: Mapping[str, str] = {}


class OriginSession:
    """One connection to the API, for one thread at a time.

    Redirects are followed here and not by `requests`, which takes the Authorization header off when the host
    changes, but puts on what a `.netrc` file has for the new one, and leaves keys in other headers and in
    the query. Another origin, where `RestApi.other_origins` lets us go, has a session of its own, which has
    neither secrets nor the API's cookies.
    """

    def __init__(self, source: RestApi, auth: Anonymous, headers: Mapping[str, str]) -> None:
        self._source = source
        self._auth = auth
        self._origin = origin_of(source.base_url)
        self._own = DirectSession()
        self._own.headers.update({**headers, **source.headers})
        self._foreign: DirectSession | None = None
        self._surroundings: dict[Origin, Any] = {}
        self._plain_headers = dict(headers)
        self._own.trust_env = trusts_environment(source.base_url)

    def close(self) -> None:
        """Close the connections."""
        self._own.close()
        if self._foreign:
            self._foreign.close()

    def send(self, call: Call, timeouts: tuple[float, float]) -> requests.Response:
        """The answer to a call, its body not yet read, at the end of all redirects.

        Raises:
            FatalError: The call, or a redirect, leads to another origin.
            ValueError: A redirect leads to what is no address.
            requests.RequestException: There was no answer.
        """
        for _ in range(_MOST_REDIRECTS):
            call = msgspec.structs.replace(call, url=keep_encrypted(call.url, self._source.base_url))
            response = self._send_once(call, timeouts)
            target = self._own.get_redirect_target(response)
            if target is None:
                return response
            response.close()
            call = _redirect(call, response, target)
        raise ConfigurationError(
            f"{self._auth.mask.text(call.url)} is redirected more than {_MOST_REDIRECTS} times."
        )

    def _send_once(self, call: Call, timeouts: tuple[float, float]) -> requests.Response:
        origin = origin_of(call.url)
        is_own = origin == self._origin
        if not is_own and self._source.other_origins == "refuse":
            raise FatalError(self._explain(call.url))
        session = self._own if is_own else self._open_foreign()
        # `Session.request` makes the same of it in three times the time, half of it for what never changes.
        request = requests.PreparedRequest()
        request.prepare(
            method=call.method,
            url=call.url if is_own else self._auth.mask.text(call.url),
            data=call.body,
            headers={**session.headers, **(call.headers if is_own else _plain(call.headers))},
            auth=self._auth if is_own else Anonymous(),
            cookies=session.cookies,
        )
        surroundings = self._surroundings.get(origin) or session.merge_environment_settings(
            call.url, {}, stream=True, verify=None, cert=None
        )
        self._surroundings[origin] = surroundings
        return session.send(request, timeout=timeouts, **surroundings)

    def _open_foreign(self) -> DirectSession:
        if self._foreign is None:
            self._foreign = DirectSession()
            self._foreign.headers.update(self._plain_headers)
        return self._foreign

    def _explain(self, url: str) -> str:
        elsewhere = urlsplit(url)
        return (
            f"{self._source.base_url} leads to another origin, {elsewhere.scheme}://"
            f"{elsewhere.netloc.rpartition('@')[2]}, where a secret declared for this one must not go. If "
            f'the API has moved, change base_url; if its pages are there, declare other_origins="anonymous", '
            f"which follows without credentials."
        )


def keep_encrypted(url: str, base_url: str) -> str:
    """The URL by https, where it is http to the host of a base URL that is https.

    An API behind a proxy that ends TLS often does not know, and names its next pages so.
    """
    parts, base = urlsplit(url), urlsplit(base_url)
    if (parts.scheme, base.scheme) != ("http", "https") or parts.hostname != base.hostname:
        return url
    if parts.port not in (None, 80, base.port) or parts.username is not None:
        return url
    return parts._replace(scheme="https", netloc=base.netloc).geturl()


def _redirect(call: Call, response: requests.Response, target: str) -> Call:
    url = resolve(call.url, target)
    status = response.status_code
    if status == HTTPStatus.SEE_OTHER or (status in _BECOMES_GET and call.method == "POST"):
        return Call("GET", url, None, _plain(call.headers))
    return Call(call.method, url, call.body, call.headers)


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    """Of a call's own headers, those that say nothing but what form is wanted or sent."""
    return {name: value for name, value in headers.items() if name.lower() in {"accept", "content-type"}}
