"""A request and a response, without the socket."""

import hmac
import http
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec

from deployments.local.api.errors import ApiError


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was read.

    Attributes:
        target: The path with the query.
        authorization: The header of that name.
    """

    method: str
    target: str
    authorization: str = ""
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path without the query and without a slash at its end."""
        return urlsplit(self.target).path.rstrip("/")

    def read_params(self) -> dict[str, str]:
        """The query's parameters.

        Raises:
            ApiError: 400 if one is given twice.
        """
        pairs = parse_qsl(urlsplit(self.target).query, keep_blank_values=True)
        params = dict(pairs)
        if len(params) < len(pairs):
            raise ApiError(400, "a parameter was given twice")
        return params

    def bears(self, token: str) -> bool:
        """Whether it is authorised with this bearer token."""
        return hmac.compare_digest(self.authorization.encode(), f"Bearer {token}".encode())


@dataclass(frozen=True, slots=True)
class Response:
    """A response, and what the transport does to it.

    Attributes:
        delay_s: Send it after this time.
        transport: `truncated`: send half the body; `reset`: send nothing and reset the connection.
    """

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    transport: Literal["whole", "truncated", "reset"] = "whole"

    def encode_head(self, *, close: bool) -> bytes:
        """The status line and the headers."""
        headers = {
            "Content-Type": self.content_type,
            "Content-Length": str(len(self.body)),
            **self.headers,
            **({"Connection": "close"} if close else {}),
        }
        lines = [f"HTTP/1.1 {self.status} {http.HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def respond_json(content: Any, status: int = 200) -> Response:
    """A response with this content as JSON."""
    return Response(status, msgspec.json.encode(content))


def respond_error(error: ApiError, headers: Mapping[str, str] | None = None) -> Response:
    """A response that says what went wrong."""
    content = {"error": {"status": error.status, "message": error.message}}
    return Response(error.status, msgspec.json.encode(content), headers=headers or {})
