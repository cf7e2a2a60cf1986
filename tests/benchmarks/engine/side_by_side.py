"""Many validations at the same time, each of a frame of its own: does each get the results of its own?"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl

from expectations.engine import validate_frame
from tests.benchmarks.engine.checks import Check
from tests.benchmarks.engine.contestants.suites import as_suite

ROWS = 1000


def make_frame(number: int) -> pl.DataFrame:
    """`number` nulls, `number` copies of 0 besides it, and a greatest value of `number`."""
    copies = pl.when(pl.int_range(ROWS) < ROWS - number).then(pl.int_range(ROWS)).otherwise(0)
    nulls = pl.when(pl.int_range(ROWS) >= number).then(number)
    return pl.select(copies=copies, nulls=nulls)


def is_right(number: int, *, lazy: bool) -> bool:
    suite = as_suite(
        (
            Check("unique", "copies"),
            Check("not_null", "nulls"),
            Check("max", "nulls", {"min_value": number, "max_value": number}),
        )
    )
    frame: Any = make_frame(number)
    unique, not_null, greatest = validate_frame(frame.lazy() if lazy else frame, suite).results
    expected = number + 1 if number else 0
    return bool(
        unique.result["unexpected_count"] == expected
        and not_null.result["unexpected_count"] == number
        and greatest.success
        and greatest.result["observed_value"] == number
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--validations", type=int, default=50, help="of each thread")
    args = parser.parse_args()
    since = time.perf_counter()
    with ThreadPoolExecutor(args.threads) as pool:
        numbers = range(args.threads * args.validations)
        right = sum(pool.map(lambda number: is_right(number, lazy=bool(number % 2)), numbers))
    total, took_s = len(numbers), time.perf_counter() - since
    print(f"{args.threads} threads, {total} validations: {right} right, in {took_s:.1f} s")
    if right != total:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
