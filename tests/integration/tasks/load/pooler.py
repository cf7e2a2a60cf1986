"""PgBouncer in transaction mode, before the tests' server."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PATIENCE_S = 10


@contextmanager
def transaction_pooler(dsn: str, folder: Path) -> Iterator[str]:
    """A DSN through a pooler with four connections, each a client's for a transaction only."""
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed here (Debian: apt-get install pgbouncer)")
    known = conninfo_to_dict(dsn)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = " ".join(
        f"{name}={known[name]}" for name in ("host", "port", "dbname", "user", "password") if name in known
    )
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = {server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        "unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 4\n"
        "query_wait_timeout = 20\n"
    )
    config.chmod(0o644)
    # It refuses to run as root. Another user cannot look into pytest's folders, so the file is its stdin;
    # only their owner can look into those of the embedded server.
    host = Path(str(known.get("host", "")))
    user = {"user": host.owner() if host.is_dir() else "nobody"} if os.geteuid() == 0 else {}
    with (
        config.open("rb") as stdin,
        subprocess.Popen(
            [PROGRAM, "-q", "/dev/stdin"],
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **user,  # type: ignore[call-overload]
        ) as process,
    ):
        pooled = make_conninfo(
            host="127.0.0.1", port=port, user=known.get("user"), dbname=known["dbname"], sslmode="disable"
        )
        try:
            _wait_for(pooled)
            yield pooled
        finally:
            process.terminate()


def _wait_for(dsn: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            psycopg.connect(dsn).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "the pooler does not start"
            time.sleep(0.05)
        else:
            return
