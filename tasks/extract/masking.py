"""Secrets are not shown: not in bodies, addresses or messages, nor in the lines that libraries log."""

import base64
import logging
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self
from urllib.parse import quote, quote_plus

_SHORTEST_IN_BODIES = 8
"""Shorter secrets are not masked in bodies: they would be found in ordinary data."""
_SHORTEST_IN_TEXTS = 4
_LIBRARIES = ("urllib3.connectionpool", "requests", "urllib3")
"""They log the addresses that they ask, at DEBUG, with what stands in the query."""


class Mask:
    """Knows the secrets in use, in each form in which the other side or a library may repeat them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._texts: tuple[str, ...] = ()
        self._bytes: tuple[bytes, ...] = ()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Mask this one too; a token that was received in mid-run."""
        forms = {secret, quote(secret, safe=""), quote_plus(secret), secret.replace("/", "\\/")}
        with self._lock:
            # The longest first: one form may be a part of another.
            texts = sorted({*self._texts, *filter(None, forms)}, key=len, reverse=True)
            self._texts = tuple(text for text in texts if len(text) >= _SHORTEST_IN_TEXTS)
            self._bytes = tuple(text.encode() for text in texts if len(text) >= _SHORTEST_IN_BODIES)

    def body(self, body: bytes) -> bytes:
        """The body with asterisks where a secret stands; the same object where none does."""
        for secret in self._bytes:
            if secret in body:
                body = body.replace(secret, b"*" * len(secret))
        return body

    def text(self, text: str) -> str:
        """A message or an address with `***` where a secret stands."""
        for secret in self._texts:
            text = text.replace(secret, "***")
        return text


class QuietLibraries(logging.Filter):
    """As a context, masks what the libraries that send the requests log."""

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self._mask = mask

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without secrets."""
        message = record.getMessage()
        masked = self._mask.text(message)
        if masked != message:
            record.msg, record.args = masked, ()
        return True

    def __enter__(self) -> Self:
        for name in _LIBRARIES:
            logging.getLogger(name).addFilter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in _LIBRARIES:
            logging.getLogger(name).removeFilter(self)


def encode_basic(username: str, password: str) -> str:
    """The value of an `Authorization: Basic` header, without its first word (RFC 7617, UTF-8)."""
    return base64.b64encode(f"{username}:{password}".encode()).decode()
