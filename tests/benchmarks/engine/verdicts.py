"""The gate on many flights: what it costs to divert rows and judge the clean ones, beside the suite alone."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from great_expectations.core import ExpectationSuite

from expectations.engine import validate_frame
from tasks.handover import Extracted
from tasks.pipeline import Table
from tasks.validate.gate import judge_table
from tasks.validate.suites import split_suite
from tests.benchmarks.engine.checks import SUITES
from tests.benchmarks.engine.contestants.suites import as_suite

DIVERTING = ("between dep_delay", "between air_time", "in_set origin")
DIVERTED = {"quarantine": {"max_rows": 1_000_000}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="a file that `run` made")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    rows = int(pl.scan_parquet(args.path).select(pl.len()).collect().item())
    checks = SUITES["without-timestamps"]
    plain = as_suite(checks)
    for name, diverting in (("nothing diverted", DIVERTING[1:]), ("5 in 336,776 diverted", DIVERTING)):
        suite = split_suite(_with_meta(plain, [check.name in diverting for check in checks]), "flights")
        _time(f"gate, {name}", partial(_judge, args.path, rows, suite), args.runs)
    _time("suite alone", lambda: validate_frame(pl.scan_parquet(args.path), plain), args.runs)


def _with_meta(suite: ExpectationSuite, diverts: list[bool]) -> ExpectationSuite:
    expectations = [
        expectation.copy(update={"meta": DIVERTED}) if diverted else expectation
        for expectation, diverted in zip(suite.expectations, diverts, strict=True)
    ]
    return ExpectationSuite(name=suite.name, expectations=expectations)


def _judge(path: Path, rows: int, suite: Any) -> str:
    extracted = Extracted(
        resource="flights", frames="", received=rows, decoded=rows, cursor_cap="2026-01-01T00:00:00Z"
    )
    with TemporaryDirectory() as work:
        table = Table(name="flights", primary_key=("id",))
        verdict = judge_table(table, path, suite, extracted, None, Path(work))
    return f"{verdict.verdict}, {verdict.clean_count:,} clean, {verdict.quarantined:,} quarantined"


def _time(name: str, run: Callable[[], Any], runs: int) -> None:
    best_wall, best_cpu, said = float("inf"), float("inf"), ""
    for _ in range(runs):
        since = time.perf_counter(), time.process_time()
        said = run()
        best_wall = min(best_wall, time.perf_counter() - since[0])
        best_cpu = min(best_cpu, time.process_time() - since[1])
    facts = said if isinstance(said, str) else ""
    print(f"{name}: {best_wall:.2f} s wall, {best_cpu:.2f} s CPU (best of {runs}) {facts}")


if __name__ == "__main__":
    main()
