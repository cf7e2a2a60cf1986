"""A proxy before the server that loses the connection at COMMIT, on loopback."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from psycopg.conninfo import conninfo_to_dict, make_conninfo

COMMIT = b"COMMIT\x00"


class Lost(Enum):
    """What the first COMMIT loses; later connections pass untouched."""

    QUESTION = "the connection is closed before the server hears of it"
    ANSWER = "the connection is closed once the server has answered"
    PATIENCE = "the connection is closed as soon as the server has heard of it"


@contextmanager
def lose_commit(dsn: str, lost: Lost) -> Iterator[str]:
    """A DSN through a proxy that loses the first COMMIT."""
    known = conninfo_to_dict(dsn)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = str(known["host"]), int(known.get("port") or 5432)
        acceptor = threading.Thread(target=_accept, args=(listener, server, lost), daemon=True)
        acceptor.start()
        yield make_conninfo(dsn, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
        listener.shutdown(socket.SHUT_RDWR)
        acceptor.join()


def _accept(listener: socket.socket, server: tuple[str, int], lost: Lost) -> None:
    pending = [lost]
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, server, pending), daemon=True).start()


def _connect(host: str, port: int) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    upstream = socket.socket(socket.AF_UNIX)
    upstream.connect(f"{host}/.s.PGSQL.{port}")
    return upstream


def _serve(client: socket.socket, server: tuple[str, int], pending: list[Lost]) -> None:
    with client, _connect(*server) as upstream, selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ, upstream)
        selector.register(upstream, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                source: socket.socket = key.fileobj  # type: ignore[assignment]  # registered above
                data = source.recv(65536)
                if not data:
                    return
                if source is client and data.endswith(COMMIT) and pending:
                    _lose(pending.pop(), data, upstream)
                    return
                key.data.sendall(data)


def _lose(lost: Lost, data: bytes, upstream: socket.socket) -> None:
    if lost is Lost.QUESTION:
        return
    upstream.sendall(data)
    if lost is Lost.ANSWER:
        upstream.recv(65536)
