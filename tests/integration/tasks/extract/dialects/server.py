"""A server on loopback that speaks real APIs' dialects, fails on request, and counts what it is asked."""

import http.server
import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from requests.structures import CaseInsensitiveDict

Record = dict[str, Any]
FAULTS = ("error_500", "throttle_429", "reset", "truncated", "html_200")


class Asked(NamedTuple):
    """One request: `base` is the server's own address, for absolute links."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any
    base: str


class Reply(NamedTuple):
    """One answer; `payload` is sent as JSON, bytes as they are."""

    payload: Any
    headers: Mapping[str, str] = {}
    status: int = 200


Dialect = Callable[[Asked, Sequence[Record]], Reply]
"""What is asked, all records there are → the answer."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that was killed."""


class DialectServer:
    """Serves each dialect under its name as the first part of the path."""

    def __init__(self, dialects: Mapping[str, Dialect], records: Sequence[Record]) -> None:
        self.dialects = dict(dialects)
        self.records = records
        self.asked: list[Asked] = []
        self.faulty_share = 0.0
        self.delay_s = 0.0
        self._random = random.Random(4)
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, asked: Asked) -> tuple[Reply, str | None]:
        """The reply in the dialect, and the fault to send instead."""
        self.asked.append(asked)
        if self.delay_s:
            time.sleep(self.delay_s)
        name = asked.path.split("/")[1]
        if name not in self.dialects:
            return Reply({"error": f"there is no {name}"}, status=404), None
        is_faulty = self._random.random() < self.faulty_share
        return self.dialects[name](asked, self.records), self._random.choice(FAULTS) if is_faulty else None


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: DialectServer

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"null"))

    def _answer(self, body: Any) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        reply, fault = self.api.answer(
            Asked(
                self.command, parts.path, query, CaseInsensitiveDict(self.headers.items()), body, self.api.url
            )
        )
        content = reply.payload if isinstance(reply.payload, bytes) else json.dumps(reply.payload).encode()
        if fault == "error_500":
            self._send(500, b'{"error": "oops"}', {})
        elif fault == "throttle_429":
            self._send(429, b'{"error": "slow down"}', {"Retry-After": "0"})
        elif fault == "html_200":
            self._send(200, b"<h1>We will be back soon</h1>", {"Content-Type": "text/html"})
        elif fault == "truncated":
            self.close_connection = True
            self._send(reply.status, content[: len(content) // 2], reply.headers, length=len(content))
        elif fault == "reset":
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self._send(reply.status, content, reply.headers)

    def _send(
        self, status: int, content: bytes, headers: Mapping[str, str], *, length: int | None = None
    ) -> None:
        shown = {"Content-Type": "application/json", "Content-Length": str(length or len(content)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in shown.items())
        self.wfile.write(f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode("latin-1") + content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
        pass
