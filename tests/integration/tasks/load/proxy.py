"""A proxy before the server that loses the connection at COMMIT, on loopback."""

import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from functools import partial

from tests.integration.tasks.load.relay import relay

COMMIT = b"COMMIT\x00"


class Lost(Enum):
    """What the first COMMIT loses; later connections pass untouched."""

    QUESTION = "the connection is closed before the server hears of it"
    ANSWER = "the connection is closed once the server has answered"
    PATIENCE = "the connection is closed as soon as the server has heard of it"


@contextmanager
def lose_commit(dsn: str, lost: Lost) -> Iterator[str]:
    """A DSN through a proxy that loses the first COMMIT."""
    with relay(dsn, partial(_carry, pending=[lost])) as (far, _):
        yield far


def _carry(client: socket.socket, upstream: socket.socket, pending: list[Lost]) -> None:
    with client, upstream, selectors.DefaultSelector() as selector:
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
