"""A real S3 server on loopback, behind a proxy that can be told to fail."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Literal

import boto3
from moto.server import ThreadedMotoServer

_OWN_HEADERS = {"content-length", "connection", "transfer-encoding", "date", "server"}
Mode = Literal["well", "500", "cut"]
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret-key-that-must-not-be-told",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass
class S3Server:
    """Two endpoints of one server; the proxied one serves as `mode` says, for requests that `fails` names."""

    endpoint: str
    proxied: str = ""
    mode: Mode = "well"
    fails: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        """The variables with which boto3 and s3fs find it."""
        return CREDENTIALS | {"AWS_ENDPOINT_URL": self.proxied}

    @property
    def client(self) -> Any:
        """A client that does not go through the proxy."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )

    def list_keys(self, bucket: str) -> list[str]:
        """All keys of a bucket."""
        return [item["Key"] for item in self.client.list_objects_v2(Bucket=bucket).get("Contents", [])]


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """A server with nothing in it."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    server = S3Server(f"http://{host}:{port}")
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(server, port))
    proxy.daemon_threads = True
    server.proxied = f"http://127.0.0.1:{proxy.server_port}"
    thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
        moto.stop()


def _handler_of(server: S3Server, port: int) -> type[BaseHTTPRequestHandler]:
    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.asked.append(f"{self.command} {self.path}")
            is_meant = server.fails in self.path
            if server.mode == "500" and is_meant:
                self._answer(500, {}, b"<Error><Code>InternalError</Code><Message>no</Message></Error>")
            elif server.mode == "cut" and is_meant:
                _send_half(self.command, self.path, dict(self.headers), body, port)
                self.close_connection = True
            else:
                self._pass_on(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _forward  # noqa: N815  names that http.server wants

        def _pass_on(self, body: bytes) -> None:
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            upstream.request(self.command, self.path, body, dict(self.headers))
            answer = upstream.getresponse()
            content = answer.read()
            upstream.close()
            self._answer(answer.status, dict(answer.getheaders()), content)

        def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in {
                    "content-length",
                    "connection",
                    "transfer-encoding",
                    "date",
                    "server",
                }:
                    self.send_header(name, value)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    return Proxy


def _send_half(command: str, path: str, headers: dict[str, str], body: bytes, port: int) -> None:
    """Begin the request upstream, and break off in the middle of its body."""
    with socket.create_connection(("127.0.0.1", port)) as upstream:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        upstream.sendall(f"{command} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body[: len(body) // 2])
