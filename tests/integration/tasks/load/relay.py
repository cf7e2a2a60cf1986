"""A listener on loopback before a server: every client gets a connection of its own to it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from psycopg.conninfo import conninfo_to_dict, make_conninfo

Carry = Callable[[socket.socket, socket.socket], None]
"""Carries between a client and its server, in a thread of its own, and closes both when that is over."""


@contextmanager
def relay(dsn: str, carry: Carry) -> Iterator[tuple[str, socket.socket]]:
    """The DSN that leads through the listener, and the listener itself."""
    known = conninfo_to_dict(dsn)
    server = str(known["host"]), int(known.get("port") or 5432)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        acceptor = threading.Thread(target=_accept, args=(listener, server, carry), daemon=True)
        acceptor.start()
        port = listener.getsockname()[1]
        far = make_conninfo(dsn, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
        try:
            yield far, listener
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()


def _accept(listener: socket.socket, server: tuple[str, int], carry: Carry) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, server, carry), daemon=True).start()


def _serve(client: socket.socket, server: tuple[str, int], carry: Carry) -> None:
    carry(client, _connect(*server))


def _connect(host: str, port: int) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{host}/.s.PGSQL.{port}")
    return server
