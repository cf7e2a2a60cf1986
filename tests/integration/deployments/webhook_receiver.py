"""A real receiver of webhooks, on loopback."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER_TIME_S = 0.1
PATIENCE_S = 40.0

Message = dict[str, Any]


@dataclass
class Receiver:
    """What a webhook was sent: body and time of arrival, by path."""

    url: str
    arrived: dict[str, list[tuple[float, str, Message]]] = field(default_factory=dict)

    def wait_for(self, path: str, count: int) -> list[Message]:
        deadline = time.monotonic() + PATIENCE_S
        while len(self.arrived.get(path, [])) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        return [message for _, _, message in self.arrived.get(path, [])]


@contextmanager
def webhook_receiver() -> Iterator[Receiver]:
    """Listen on a free port; every answer takes a while, so that calls overlap."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrival = (time.time(), self.headers["Content-Type"], json.loads(body))
            kept.arrived.setdefault(self.path, []).append(arrival)
            time.sleep(ANSWER_TIME_S)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        kept = Receiver(f"http://127.0.0.1:{listener.server_port}")
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        yield kept
        listener.shutdown()
