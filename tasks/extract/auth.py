"""Secrets on their way into a request, and nowhere else."""

from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.auth import AuthBase

from tasks.errors import ConfigurationError
from tasks.extract.masking import Mask, encode_basic
from tasks.extract.oauth import OAuthToken
from tasks.extract.urls import set_params
from tasks.pipeline import ApiKey, Basic, Bearer, OAuth2, SecretHeaders, Signed, Unsigned
from tasks.pipeline.auth import Auth, secret_names
from tasks.ports import Secrets
from tasks.settings import secret_variable

Found = Mapping[str, str]
"""Name of a secret → its value."""


class Anonymous(AuthBase):
    """Sends no secret; its presence keeps requests from sending what it finds in a `.netrc` file."""

    def __init__(self, mask: Mask | None = None) -> None:
        self.mask = mask or Mask()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request as it is."""
        return request

    def renew(self, refused: requests.PreparedRequest) -> bool:  # noqa: ARG002  (others look at it)
        """Get another secret after the API refused this request; False when there is no other."""
        return False


class HeaderSecrets(Anonymous):
    """Sends secrets in headers."""

    def __init__(self, headers: Mapping[str, str], mask: Mask) -> None:
        super().__init__(mask)
        self._headers = dict(headers)

    def __repr__(self) -> str:
        return f"HeaderSecrets({', '.join(self._headers)})"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the headers."""
        request.headers.update(self._headers)
        return request


class QuerySecret(Anonymous):
    """Sends a secret as a query parameter; one of that name that is there already is replaced."""

    def __init__(self, name: str, value: str, mask: Mask) -> None:
        super().__init__(mask)
        self._name, self._value = name, value

    def __repr__(self) -> str:
        return f"QuerySecret({self._name!r})"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the parameter."""
        request.url = set_params(request.url or "", {self._name: self._value})
        return request


class RequestSigner(Anonymous):
    """Sends what the pipeline's own function adds to each request."""

    def __init__(self, declared: Signed, secrets: Mapping[str, str], mask: Mask) -> None:
        super().__init__(mask)
        self._declared = declared
        self._secrets = dict(secrets)

    def __repr__(self) -> str:
        return f"RequestSigner({', '.join(self._secrets)})"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign it.

        Raises:
            ConfigurationError: The function failed.
        """
        body = request.body or b""
        unsigned = Unsigned(
            method=request.method or "GET",
            url=request.url or "",
            headers=dict(request.headers),
            body=body.encode() if isinstance(body, str) else bytes(body),
        )
        sign = self._declared.sign
        try:
            signature = sign(unsigned, self._secrets)
        except Exception as exc:  # noqa: BLE001  it is the pipeline's own code, and may know secrets
            failure = f"{type(exc).__name__}: {self.mask.text(str(exc))}"
        else:
            request.headers.update(signature.headers)
            if signature.params:
                request.url = set_params(request.url or "", signature.params)
            return request
        name = getattr(sign, "__qualname__", repr(sign))
        raise ConfigurationError(f"The function {name}, which signs requests, failed: {failure}")


def authenticate(auth: Auth | None, secrets: Secrets) -> Anonymous:
    """Look the declared secrets up and make what sends them.

    Raises:
        ConfigurationError: A secret is nowhere, or cannot be sent.
    """
    if auth is None or (isinstance(auth, Bearer) and auth.optional and not _is_set(auth.secret, secrets)):
        return Anonymous()
    found = {name: secrets(name).strip() for name in secret_names(auth)}
    for name, value in found.items():
        if not value:
            raise ConfigurationError(f"The secret {_where(name)} is empty.")
    return _SENDERS[type(auth)](auth, found, Mask(found.values()))


class OAuthSender(Anonymous):
    """Sends a token that expires, and gets another one when it is refused."""

    def __init__(self, token: OAuthToken) -> None:
        super().__init__(token.mask)
        self._token = token

    def __repr__(self) -> str:
        return repr(self._token)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token."""
        request.headers["Authorization"] = f"Bearer {self._token.current()}"
        return request

    def renew(self, refused: requests.PreparedRequest) -> bool:
        """Have another token asked for by the next request, unless another thread has one by now."""
        self._token.forget(refused.headers.get("Authorization", "").removeprefix("Bearer "))
        return True


def _send_bearer(auth: Bearer, found: Found, mask: Mask) -> Anonymous:
    return HeaderSecrets({"Authorization": f"Bearer {_as_header(auth.secret, found)}"}, mask)


def _send_basic(auth: Basic, found: Found, mask: Mask) -> Anonymous:
    username = found[auth.username_secret] if auth.username_secret else auth.username
    encoded = encode_basic(username, found[auth.secret] if auth.secret else "")
    mask.add(encoded)
    return HeaderSecrets({"Authorization": f"Basic {encoded}"}, mask)


def _send_key(auth: ApiKey, found: Found, mask: Mask) -> Anonymous:
    if auth.place == "query":
        return QuerySecret(auth.name, auth.prefix + found[auth.secret], mask)
    return HeaderSecrets({auth.name: auth.prefix + _as_header(auth.secret, found)}, mask)


def _send_headers(auth: SecretHeaders, found: Found, mask: Mask) -> Anonymous:
    return HeaderSecrets({header: _as_header(name, found) for header, name in auth.secrets.items()}, mask)


def _send_token(auth: OAuth2, found: Found, mask: Mask) -> Anonymous:
    return OAuthSender(OAuthToken(auth, found, mask))


_SENDERS: dict[type, Callable[[Any, Found, Mask], Anonymous]] = {
    Bearer: _send_bearer,
    Basic: _send_basic,
    ApiKey: _send_key,
    SecretHeaders: _send_headers,
    OAuth2: _send_token,
    Signed: RequestSigner,
}


def describe_secrets(auth: Auth) -> str:
    """Where the secrets are looked up, for a message to the person who must correct them."""
    return "; ".join(_where(name) for name in secret_names(auth))


def _is_set(name: str, secrets: Secrets) -> bool:
    try:
        return bool(secrets(name).strip())
    except ConfigurationError:
        return False


def _as_header(name: str, found: Found) -> str:
    value = found[name]
    if not value.isascii() or not value.isprintable():
        raise ConfigurationError(f"The secret {_where(name)} holds characters that no header can.")
    return value


def _where(name: str) -> str:
    return f"{name!r} ({secret_variable(name)} in the environment, or the Prefect Secret block {name!r})"
