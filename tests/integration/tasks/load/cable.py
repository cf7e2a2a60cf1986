"""A cable before the server that goes dead: no FIN, no RST, nothing of it reaches either end."""

import ctypes
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

from tests.integration.tasks.load.relay import relay

SO_ATTACH_FILTER = 26


class Death(Enum):
    """How it is dead."""

    CUT = "packets are lost, and nothing acknowledges them"
    STUCK = "the other end's kernel acknowledges what arrives until its buffers are full, and nobody reads it"


@dataclass
class Cable:
    """A proxy on loopback; it dies when a client has sent these words, and then so many bytes more."""

    death: Death
    words: tuple[bytes, ...]
    more: int = 0
    dsn: str = ""
    is_dead: threading.Event = field(default_factory=threading.Event)
    sockets: list[socket.socket] = field(default_factory=list)

    def die(self) -> None:
        """From now on nothing comes through, and nobody can connect."""
        self.is_dead.set()
        if self.death is Death.CUT:
            for each in self.sockets:
                _drop_all(each)

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        """Carry both ways until an end closes or the cable dies; the sockets stay open then."""
        self.sockets += [client, server]
        with suppress(OSError, ValueError):  # the other end is gone, or this one at the end of the test
            self._carry(client, server)

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        words, left = list(self.words), self.more
        while not self.is_dead.is_set():
            for source in select.select([client, server], [], [], 0.05)[0]:
                data = source.recv(65536)
                if not data:
                    client.close()
                    server.close()
                    return
                if source is client:
                    while words and words[0] in data:
                        del words[0]
                    left -= 0 if words else len(data)
                    if left < 0:
                        self.die()
                        return
                (server if source is client else client).sendall(data)


@contextmanager
def lay_cable(dsn: str, death: Death, words: tuple[bytes, ...], more: int = 0) -> Iterator[Cable]:
    """A cable to the server of a DSN, on any of whose connections it can die."""
    cable = Cable(death, words, more)
    with relay(dsn, cable.serve) as (cable.dsn, listener):
        cable.sockets.append(listener)
        try:
            yield cable
        finally:
            cable.is_dead.set()
            for each in cable.sockets[1:]:
                each.close()


def _drop_all(each: socket.socket) -> None:
    """Have the kernel drop what arrives, before it acknowledges anything: "return 0" for a filter."""
    if each.family == socket.AF_UNIX or each.fileno() < 0:
        return
    program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0), 8)
    each.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HxxxxxxP", 1, ctypes.addressof(program))
    )
