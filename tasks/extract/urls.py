"""What an address says: its origin, its parameters, whether it is this machine's own."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Origin(NamedTuple):
    """Scheme, host and port, the default port made explicit (RFC 6454)."""

    scheme: str
    host: str | None
    port: int | None


def origin_of(url: str) -> Origin:
    """The origin of a URL.

    Raises:
        ValueError: Its port is no number.
    """
    parts = urlsplit(url)
    return Origin(parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme))


def resolve(base: str, link: str) -> str:
    """The URL that a link on a page of this address leads to.

    Raises:
        ValueError: It is no address.
    """
    url = urljoin(base, link)
    origin_of(url)
    return url


def trusts_environment(url: str) -> bool:
    """Whether proxies and certificates of the environment are meant for this address.

    A proxy there is for the world outside, and cannot reach this machine's loopback.
    """
    return urlsplit(url).hostname not in _LOOPBACK


def set_params(url: str, params: Mapping[str, str]) -> str:
    """The URL with these query parameters, in place of those of the same names."""
    parts = urlsplit(url)
    kept = [
        pair
        for pair in parts.query.split("&")
        if pair and parse_qsl(pair, keep_blank_values=True)[0][0] not in params
    ]
    return urlunsplit(parts._replace(query="&".join([*kept, urlencode(dict(params))])))
