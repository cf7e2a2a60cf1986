"""Secrets on their way into a request, and nowhere else."""

from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase

from tasks.errors import ConfigurationError, FatalError
from tasks.pipeline import Bearer
from tasks.ports import Secrets
from tasks.settings import secret_variable

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SHORTEST_MASKED = 8
"""Shorter secrets are not masked in bodies: they would be found in ordinary data."""


class Anonymous(AuthBase):
    """Sends no secret; its presence keeps requests from sending what it finds in a `.netrc` file."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request as it is."""
        return request

    def mask(self, body: bytes) -> bytes:
        """The body as it is: there is no secret to be found in it."""
        return body


class BearerToken(Anonymous):
    """Sends `Authorization: Bearer …`; shows the secret's name where others would show the value."""

    def __init__(self, name: str, token: str) -> None:
        self._name = name
        self._token = token

    def __repr__(self) -> str:
        return f"BearerToken({self._name!r})"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def mask(self, body: bytes) -> bytes:
        """The body with asterisks where the other side repeated the secret."""
        token = self._token.encode()
        if len(token) < _SHORTEST_MASKED or token not in body:
            return body
        return body.replace(token, b"*" * len(token))


class SameOriginSession(requests.Session):
    """A session that follows redirects within its origin and refuses those that leave it.

    `requests` takes the Authorization header off when the host changes, but puts on what a `.netrc` file
    has for the new one; nothing that was declared for one origin goes to another.
    """

    def __init__(self, base_url: str, auth: AuthBase) -> None:
        super().__init__()
        self._origin = origin_of(base_url)
        self.auth = auth
        # A proxy in the environment is for the world outside, and cannot reach this machine's loopback.
        self.trust_env = urlsplit(base_url).hostname not in _LOOPBACK

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where the response redirects to, within the origin.

        Raises:
            FatalError: It redirects to another origin.
        """
        target = super().get_redirect_target(resp)
        if target is not None and origin_of(urljoin(resp.url, target)) != self._origin:
            resp.close()
            elsewhere = urlsplit(urljoin(resp.url, target))
            raise FatalError(
                f"{resp.url.partition('?')[0]} redirects to another origin, "
                f"{elsewhere.scheme}://{elsewhere.netloc.rpartition('@')[2]}, where a secret declared for "
                f"this one must not go. If the API has moved, change base_url."
            )
        return target

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Keep the header: the redirect stays within the origin."""


def authenticate(auth: Bearer | None, secrets: Secrets) -> Anonymous:
    """Look the declared secret up and make what sends it.

    Raises:
        ConfigurationError: The secret is nowhere, or cannot be sent in a header.
    """
    if auth is None:
        return Anonymous()
    token = secrets(auth.secret).strip()
    if not token or not token.isascii() or not token.isprintable():
        raise ConfigurationError(
            f"The secret {auth.secret!r} ({describe_secret(auth)}) is empty or holds characters that cannot "
            f"be sent in a header."
        )
    return BearerToken(auth.secret, token)


def describe_secret(auth: Bearer) -> str:
    """Where the secret is looked up, for a message to the person who must correct it."""
    return f"{secret_variable(auth.secret)} in the environment, or the Prefect Secret block {auth.secret!r}"


def origin_of(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of a URL, the default port made explicit (RFC 6454)."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
