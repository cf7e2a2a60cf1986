"""A server of pages that lie ready, in a process of its own: so fast that it is not what is measured.

    python -m tests.benchmarks.end_to_end.pages_server FOLDER

`GET /<resource>?page=7`, or below `/slow/`, where each page comes 50 ms later. It ends with its stdin.
"""

import asyncio
import json
import mmap
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DELAY_S = 0.05
REQUEST = re.compile(rb"GET (/slow)?/(\w+)\?(?:[^ ]*&)?page=(\d+)(?:&[^ ]*)? HTTP/1\.1\r\n")


class Pages:
    """The pages of one resource."""

    def __init__(self, file: Path) -> None:
        self._ends = json.loads(file.with_suffix(".ends").read_text())
        with file.open("rb") as opened:
            self._bytes = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)

    def read(self, number: int) -> bytes | None:
        """Page `number`, the first being 1; None past the end."""
        if not 0 < number <= len(self._ends):
            return None
        return self._bytes[self._ends[number - 2] if number > 1 else 0 : self._ends[number - 1]]


class Connection(asyncio.Protocol):
    """Answers requests without a body, one after the other."""

    def __init__(self, resources: dict[str, Pages]) -> None:
        self._resources = resources
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._answer(head + b"\r\n")

    def _answer(self, head: bytes) -> None:
        found = REQUEST.match(head)
        pages = self._resources.get(found[2].decode()) if found else None
        body = pages.read(int(found[3])) if found and pages else None
        status = b"200 OK" if body is not None else b"404 Not Found"
        answer = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
            status,
            len(body or b""),
            body or b"",
        )
        if found and found[1]:
            asyncio.get_running_loop().call_later(DELAY_S, self._transport.write, answer)
        else:
            self._transport.write(answer)


async def serve(resources: dict[str, Pages]) -> None:
    """Serve until stdin ends; the first line printed is the address."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(resources), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def running_pages_server(folder: Path) -> Iterator[str]:
    """Serve the folder's pages, and give the address."""
    command = [sys.executable, "-m", "tests.benchmarks.end_to_end.pages_server", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait(timeout=10)


if __name__ == "__main__":
    asyncio.run(serve({file.stem: Pages(file) for file in Path(sys.argv[1]).glob("*.pages")}))
