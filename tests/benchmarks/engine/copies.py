"""Uniqueness alone, streamed from the file: time and greatest memory, with and without copies."""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import polars as pl
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

from expectations.engine import validate_frame

COLUMNS = {
    "number": ["id"],
    "text": ["key"],
    "eight": ["year", "month", "day", "carrier", "flight", "origin", "dest", "id"],
    "eight-with-copies": ["year", "month", "day", "carrier", "flight", "origin", "dest", "hour"],
}
MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="a file that `run` made")
    parser.add_argument("columns", choices=COLUMNS)
    args = parser.parse_args()
    columns = COLUMNS[args.columns]
    config = (
        ExpectationConfiguration("expect_compound_columns_to_be_unique", {"column_list": columns})
        if len(columns) > 1
        else ExpectationConfiguration("expect_column_values_to_be_unique", {"column": columns[0]})
    )
    suite = ExpectationSuite("copies", expectations=[config.to_domain_obj()])
    before = _peak_mib()
    since = time.perf_counter(), time.process_time()
    [result] = validate_frame(pl.scan_parquet(args.path), suite).results
    wall, cpu = time.perf_counter() - since[0], time.process_time() - since[1]
    facts = result.result
    print(
        f"{', '.join(columns)}: {facts['unexpected_count']:,} of {facts['element_count']:,} are copies; "
        f"{wall:.2f} s wall, {cpu:.2f} s CPU; peak {_peak_mib():.0f} MiB, {before:.0f} before"
    )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MEMORY_UNIT / 2**20


if __name__ == "__main__":
    main()
