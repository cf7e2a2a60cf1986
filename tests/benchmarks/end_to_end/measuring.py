"""A whole process measured from outside: wall, CPU of client and of Postgres apart, memory of its tree."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psutil
import psycopg

SAMPLE_S = 0.05
WAL: LiteralString = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"


@dataclass(frozen=True)
class Measurement:
    """One run of one contestant.

    Attributes:
        wall_s: From the process's start to its end.
        steady_s: What its work took, imports and start apart: as it says itself, or as assay's ledger has it.
        cpu_s: User and system time of the process and its children.
        postgres_cpu_s: The same of all processes of the server, meanwhile.
        peak_mib: Greatest sum of the proportional set sizes of the process and its children, if watched.
        wal_mib: What the server wrote to its log of changes, meanwhile.
        before_s: From the process's start until an assay's run began: imports, Prefect's start.
        steps: Where an assay's time went from there, as the ledger has it.
    """

    wall_s: float
    steady_s: float
    cpu_s: float
    postgres_cpu_s: float
    peak_mib: float
    wal_mib: float
    before_s: float = 0.0
    steps: Sequence[Mapping[str, Any]] = ()


def measure(
    command: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    dsn: str,
    timeout_s: float,
    *,
    watches_memory: bool,
) -> Measurement:
    """Run a contestant, which ends by printing one line of JSON with `steady_s`, or leaves it in the ledger.

    To watch its memory the system walks over its pages, 4 ms for 400 MB, while it may map no others: that
    slows the large ones down, so what is watched is not timed.

    Raises:
        RuntimeError: It failed; the message holds the end of what it said.
    """
    postmaster = _find_postmaster(dsn)
    wal_before = _read_number(dsn, WAL)
    postgres_before = _postgres_cpu_s(postmaster)
    started, started_at = time.perf_counter(), time.time()
    with subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        peak = _Peak(process.pid) if watches_memory else None
        killer = threading.Timer(timeout_s, process.kill)
        killer.start()
        before = os.times()
        out, err = process.communicate()
        after = os.times()
        wall_s = time.perf_counter() - started
        killer.cancel()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}\n{err[-3000:]}")
    steps, began_at = _read_attempt(dsn)
    return Measurement(
        wall_s=wall_s,
        steady_s=_read_steady_s(out, steps),
        cpu_s=after.children_user + after.children_system - before.children_user - before.children_system,
        postgres_cpu_s=_postgres_cpu_s(postmaster) - postgres_before,
        peak_mib=peak.stop() if peak else 0.0,
        wal_mib=(_read_number(dsn, WAL) - wal_before) / 2**20,
        before_s=began_at - started_at if began_at else 0.0,
        steps=steps,
    )


def _read_steady_s(out: str, steps: Sequence[Mapping[str, Any]]) -> float:
    try:
        return float(json.loads(out.strip().splitlines()[-1])["steady_s"])
    except (ValueError, TypeError, IndexError):
        return float(max(step["started_s"] + step["took_s"] for step in steps))


def _read_attempt(dsn: str) -> tuple[list[dict[str, Any]], float | None]:
    """The steps of the latest attempt and when it began; nothing where assay has never been."""
    with psycopg.connect(dsn) as conn:
        if not conn.execute("SELECT to_regclass('assay.attempts')::text").fetchone()[0]:  # type: ignore[index]
            return [], None
        row = conn.execute(
            "SELECT timings, extract(epoch FROM started_at)::float8 FROM assay.attempts "
            "ORDER BY started_at DESC LIMIT 1"
        ).fetchone()
    if not row or not row[0]:
        return [], None
    opening = next(step for step in row[0] if step["step"] == "open")
    return list(row[0]), float(row[1]) - opening["took_s"]


def _read_number(dsn: str, query: LiteralString) -> float:
    with psycopg.connect(dsn) as conn:
        return float(conn.execute(query).fetchone()[0])  # type: ignore[index]


def _find_postmaster(dsn: str) -> int:
    with psycopg.connect(dsn) as conn:
        folder = conn.execute("SHOW data_directory").fetchone()[0]  # type: ignore[index]
    return int(Path(folder, "postmaster.pid").read_text().splitlines()[0])


class _Peak:
    """Looks at a process and its children twenty times a second."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._stop.set()
        self._thread.join()
        return self._peak / 2**20

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            self._peak = max(self._peak, self._tree_bytes())

    def _tree_bytes(self) -> int:
        total = 0
        with suppress(psutil.Error):
            for process in (self._process, *self._process.children(recursive=True)):
                with suppress(psutil.Error):
                    total += process.memory_full_info().pss
        return total


def _postgres_cpu_s(postmaster: int) -> float:
    server = psutil.Process(postmaster)
    own = server.cpu_times()
    # Backends that have ended count as the postmaster's children.
    seconds: float = own.user + own.system + own.children_user + own.children_system
    for backend in server.children():
        with suppress(psutil.Error):
            times = backend.cpu_times()
            seconds += times.user + times.system
    return seconds
