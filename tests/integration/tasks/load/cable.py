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

from psycopg.conninfo import conninfo_to_dict, make_conninfo

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
    known = conninfo_to_dict(dsn)
    cable = Cable(death, words, more)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        cable.sockets.append(listener)
        port = listener.getsockname()[1]
        cable.dsn = make_conninfo(dsn, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
        threading.Thread(target=_accept, args=(cable, listener, known), daemon=True).start()
        try:
            yield cable
        finally:
            cable.is_dead.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for each in cable.sockets:
                each.close()


def _accept(cable: Cable, listener: socket.socket, known: dict[str, str]) -> None:
    while not cable.is_dead.is_set():
        try:
            client, _ = listener.accept()
            server = _connect(str(known["host"]), int(known.get("port") or 5432))
        except OSError:
            return
        cable.sockets += [client, server]
        threading.Thread(target=_carry, args=(cable, client, server), daemon=True).start()


def _carry(cable: Cable, client: socket.socket, server: socket.socket) -> None:
    with suppress(OSError, ValueError):  # the other end is gone, or this one at the end of the test
        cable.serve(client, server)


def _connect(host: str, port: int) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{host}/.s.PGSQL.{port}")
    return server


def _drop_all(each: socket.socket) -> None:
    """Have the kernel drop what arrives, before it acknowledges anything: "return 0" for a filter."""
    if each.family == socket.AF_UNIX or each.fileno() < 0:
        return
    program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0), 8)
    each.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HxxxxxxP", 1, ctypes.addressof(program))
    )
