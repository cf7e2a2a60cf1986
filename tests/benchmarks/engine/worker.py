"""One contestant, one run, one process; prints what it took as JSON. Started by `run.py`."""

from __future__ import annotations

import functools
import importlib
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from tests.benchmarks.engine.checks import COLUMNS, SUITES


@dataclass
class Clock:
    """CPU seconds (of all threads) and wall seconds of the parts of a run."""

    parts: dict[str, tuple[float, float]] = field(default_factory=dict)
    since: tuple[float, float] = (0.0, 0.0)

    def stop(self, part: str) -> None:
        now = (time.process_time(), time.perf_counter())
        self.parts[part] = (now[0] - self.since[0], now[1] - self.since[1])
        self.since = now


def _count_collects() -> list[str]:
    """Note every collect from here on, also those that `DataFrame` methods make."""
    noted: list[str] = []
    for name in ("collect", "collect_batches", "sink_parquet"):
        _note(name, getattr(pl.LazyFrame, name), noted)
    return noted


def _note(name: str, original: Any, noted: list[str]) -> None:
    @functools.wraps(original)
    def note(*args: Any, **kwargs: Any) -> Any:
        noted.append(name)
        return original(*args, **kwargs)

    setattr(pl.LazyFrame, name, note)


def main() -> None:
    name, path, suite = sys.argv[1:4]
    clock = Clock(since=(0.0, time.perf_counter()))  # the interpreter's own start and Polars count as import
    contestant = importlib.import_module(f"tests.benchmarks.engine.contestants.{name}")
    clock.stop("import")
    data = contestant.load(Path(path), list(COLUMNS))
    clock.stop("load")
    collects = _count_collects()
    verdicts = contestant.validate(data, SUITES[suite])
    clock.stop("validate")
    print(json.dumps({"parts": clock.parts, "verdicts": verdicts, "collects": len(collects)}))


if __name__ == "__main__":
    main()
