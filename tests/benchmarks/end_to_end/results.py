"""Figures kept in files: one a scenario, of the latest time that it was run."""

import datetime as dt
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import psutil

FOLDER = Path(__file__).parent / "figures"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one contestant; the figures are those of `Measurement`."""

    scenario: str
    contestant: str
    wall_s: float
    steady_s: float
    cpu_s: float
    postgres_cpu_s: float
    peak_mib: float
    wal_mib: float
    before_s: float = 0.0
    steps: Sequence[dict[str, Any]] = ()


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario's runs, with where and when they were made."""

    scenario: str
    made_at: dt.datetime
    machine: str
    runs: Sequence[Result]


def describe_machine() -> str:
    """Processor, cores and memory."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = psutil.virtual_memory().total / 2**30
    model = names[0] if names else platform.processor()
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def add_results(folder: Path, results: Sequence[Result], *, append: bool = False) -> None:
    """Keep the runs, in the place of the earlier ones of the same contestants, or after them."""
    folder.mkdir(exist_ok=True)
    for scenario in dict.fromkeys(result.scenario for result in results):
        file = folder / f"{scenario}.json"
        new = [result for result in results if result.scenario == scenario]
        again = set() if append else {result.contestant for result in new}
        old = read_results(file).runs if file.exists() else ()
        kept = Results(
            scenario=scenario,
            made_at=dt.datetime.now(dt.UTC).replace(microsecond=0),
            machine=describe_machine(),
            runs=[*(run for run in old if run.contestant not in again), *new],
        )
        file.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")


def read_results(file: Path) -> Results:
    """A scenario's runs."""
    return msgspec.json.decode(file.read_bytes(), type=Results)
