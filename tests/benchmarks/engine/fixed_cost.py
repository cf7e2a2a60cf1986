"""What a suite costs before there is any data to speak of: 23 expectations on 10 rows."""

from __future__ import annotations

import argparse
import statistics
import time

from expectations.engine import validate_frame
from tests.benchmarks.engine.checks import SUITES
from tests.benchmarks.engine.contestants.suites import as_suite
from tests.benchmarks.engine.data import read_flights

EXPECTATIONS = 23


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    runs = parser.parse_args().runs
    frame = read_flights().head(10).with_row_index("id").with_columns(key="tailnum")
    suite = as_suite(SUITES["with-timestamps"][:EXPECTATIONS])
    for name, data in (("DataFrame", frame), ("LazyFrame", frame.lazy())):
        wall, cpu = [], []
        for _ in range(runs):
            since = time.perf_counter(), time.process_time()
            result = validate_frame(data, suite)
            wall.append(time.perf_counter() - since[0])
            cpu.append(time.process_time() - since[1])
        assert len(result.results) == EXPECTATIONS
        print(
            f"{EXPECTATIONS} expectations, {frame.height} rows, {name}: first {wall[0] * 1000:.0f} ms, "
            f"median {statistics.median(wall) * 1000:.0f} ms wall, {statistics.median(cpu) * 1000:.0f} ms CPU"
        )


if __name__ == "__main__":
    main()
