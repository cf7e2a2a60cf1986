"""A real Prefect server, on loopback, with a home and a database of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tasks.errors import RetriableError

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 15.0


@dataclass(frozen=True)
class PrefectServer:
    """A running server.

    Attributes:
        api_url: Where its API answers, `http://127.0.0.1:<port>/api`.
        env: Environment for subprocesses that talk to it: this process's own, without any `PREFECT_*`
            or `ASSAY_*` variable of the developer's shell.
        log: What the server wrote to stdout and stderr.
        pid: Its process id, which is its process group as well.
    """

    api_url: str
    env: dict[str, str]
    log: Path
    pid: int


@contextmanager
def prefect_server(home: Path, **env: str) -> Iterator[PrefectServer]:
    """Start a Prefect server and wait until it answers; stop it, with its children, at the end.

    The first start in a `home` takes about 20 s, for the migrations of its SQLite database. `env` adds
    settings, for instance `PREFECT_SERVER_DATABASE_CONNECTION_URL`.

    Raises:
        RetriableError: It ended or did not answer in time; the message holds the end of its log.
    """
    home.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    api_url = f"http://127.0.0.1:{port}/api"
    environment = _clean_environment(home, api_url) | env
    log = home / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_healthy(process, api_url, log)
        yield PrefectServer(api_url=api_url, env=environment, log=log, pid=process.pid)
    finally:
        stop_group(process)


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started in a session of its own, and all its children."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            continue
    process.wait(STOP_TIMEOUT_S)


def _clean_environment(home: Path, api_url: str) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ASSAY_"))
    }
    return inherited | {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": api_url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_LOGGING_COLORS": "false",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
    }


def _wait_until_healthy(process: subprocess.Popen[bytes], api_url: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if requests.get(f"{api_url}/health", timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.2)
    tail = log.read_text(errors="replace")[-2000:]
    raise RetriableError(f"The Prefect server at {api_url} did not start (exit {process.poll()}):\n{tail}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
