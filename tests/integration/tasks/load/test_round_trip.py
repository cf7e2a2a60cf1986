"""Every type of the table in docs/loading.md, from Polars to Postgres and back, by property.

`ASSAY_EXAMPLES=2000 pytest tests/integration/tasks/load/test_round_trip.py` is the long run.
"""

import datetime as dt
import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from tasks.load.connection import Connection, fetch_int, open_connection
from tasks.load.ddl import column_definitions, column_types, create_table, qualified
from tasks.load.diff import differing_values
from tasks.load.reading import read_rows
from tasks.load.staging import copy_frame
from tasks.validate.quarantine import write_quarantine
from tests.integration.tasks.load.builders import with_reason
from tests.integration.tasks.load.values import DATES, FLOATS, INTEGERS, MOMENTS, TEXTS

EXAMPLES = int(os.environ.get("ASSAY_EXAMPLES", "8"))
# The first and the last day of Postgres, the first and the last microsecond that both know.
DAYS = st.integers(-2_440_588, 2**31 - 2_451_701)
MICROS = st.integers(-210_866_803_200_000_000, 2**63 - 1)
MILLIS = st.integers(-210_866_803_200_000, 2**63 // 1000 - 1)
DECIMALS = st.decimals(-(10**18), 10**18, places=6)
WHOLE = st.integers(-(2**127), 2**127 - 1)
BYTES = st.binary(max_size=4)
FRUIT = ["apple", "NULL", ""]
NESTED = pl.Struct({"x": pl.Int8(), "y": pl.List(pl.Decimal(38, 6))})
OBJECT = pl.Struct(
    {
        "z": pl.Int64(),
        'a"\n': pl.String(),
        "float": pl.Float64(),
        "decimal": pl.Decimal(38, 6),
        "at": pl.Datetime("us", "UTC"),
        "day": pl.Date(),
        "bytes": pl.Binary(),
        "nested": pl.List(NESTED),
        "never": pl.Null(),
    }
)


def objects(*fields: tuple[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({name: st.none() | values for name, values in fields})


def items(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.none() | values, max_size=3)


INNER = objects(("x", st.integers(-128, 127)), ("y", items(DECIMALS)))
OBJECTS = objects(
    ("z", INTEGERS),
    ('a"\n', TEXTS),
    ("float", FLOATS),
    ("decimal", DECIMALS),
    ("at", MOMENTS),
    ("day", DATES),
    ("bytes", BYTES),
    ("nested", items(INNER)),
    ("never", st.none()),
)
# A temporal column is made of whole numbers, since Python's own times end with the years 1 and 9999.
COLUMNS: list[tuple[pl.DataType, st.SearchStrategy[Any]]] = [
    *((kind(), st.integers(low, high)) for kind, low, high in (
        (pl.Int8, -(2**7), 2**7 - 1), (pl.Int16, -(2**15), 2**15 - 1), (pl.Int32, -(2**31), 2**31 - 1),
        (pl.Int64, -(2**63), 2**63 - 1), (pl.UInt8, 0, 2**8 - 1), (pl.UInt16, 0, 2**16 - 1),
        (pl.UInt32, 0, 2**32 - 1), (pl.UInt64, 0, 2**64 - 1), (pl.UInt128, 0, 2**128 - 1),
    )),
    (pl.Int128(), WHOLE),
    (pl.Decimal(38, 6), DECIMALS),
    (pl.Decimal(5, 0), st.integers(-99999, 99999).map(Decimal)),
    (pl.Float16(), st.floats(width=16)),
    (pl.Float32(), st.floats(width=32)),
    (pl.Float64(), FLOATS),
    (pl.Boolean(), st.booleans()),
    (pl.String(), TEXTS),
    (pl.Categorical(), TEXTS),
    (pl.Enum(FRUIT), st.sampled_from(FRUIT)),
    (pl.Binary(), BYTES),
    (pl.Date(), DAYS),
    (pl.Time(), st.integers(0, 86_399_999_999).map(lambda micros: micros * 1000)),
    (pl.Datetime("us"), MICROS),
    (pl.Datetime("us", "UTC"), MICROS),
    (pl.Datetime("us", "Europe/Paris"), MOMENTS),
    (pl.Datetime("ms"), MILLIS),
    (pl.Duration("us"), st.integers(-(2**63) + 1, 2**63 - 1)),  # Postgres reads no -2**63
    (pl.Duration("ms"), st.integers(-(2**63) // 1000 + 1, 2**63 // 1000 - 1)),
    *((pl.List(inner), items(values)) for inner, values in (
        (pl.Int64(), INTEGERS), (pl.Int128(), WHOLE), (pl.UInt64(), st.integers(0, 2**64 - 1)),
        (pl.Decimal(38, 6), DECIMALS), (pl.Float64(), FLOATS), (pl.Float32(), st.floats(width=32)),
        (pl.Boolean(), st.booleans()), (pl.String(), TEXTS), (pl.Enum(FRUIT), st.sampled_from(FRUIT)),
        (pl.Binary(), BYTES), (pl.Date(), DATES), (pl.Datetime("us", "UTC"), MOMENTS),
        (pl.Duration("us"), st.timedeltas(dt.timedelta(-10**6), dt.timedelta(10**6))),
    )),
    (pl.Array(pl.Int16(), 2), st.lists(st.integers(-5, 5), min_size=2, max_size=2)),
    (pl.List(pl.List(pl.Float64())), items(items(FLOATS))),
    (pl.List(NESTED), items(INNER)),
    (OBJECT, OBJECTS),
]  # fmt: skip
ROWS = st.lists(st.tuples(*(st.none() | values for _, values in COLUMNS)), min_size=1, max_size=4)
SCHEMA = pl.Schema({f"c{position} {dtype}"[:63]: dtype for position, (dtype, _) in enumerate(COLUMNS)})


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    with open_connection(dsn) as conn:
        yield conn


def make_frame(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(
        [make_series(name, dtype, [row[i] for row in rows]) for i, (name, dtype) in enumerate(SCHEMA.items())]
    )


def make_series(name: str, dtype: pl.DataType, values: list[Any]) -> pl.Series:
    if dtype.is_temporal() and all(value is None or isinstance(value, int) for value in values):
        return pl.Series(name, values, pl.Int32 if dtype == pl.Date else pl.Int64).cast(dtype)
    return pl.Series(name, values, dtype)


def plain(series: pl.Series) -> list[Any]:
    """Values that can be compared, whatever type holds them."""
    dtype = series.dtype
    if isinstance(dtype, pl.Datetime | pl.Duration):
        factor = 1000 if dtype.time_unit == "ms" else 1
        return [None if value is None else value * factor for value in series.to_physical()]
    if dtype.is_temporal():
        return series.to_physical().to_list()
    if isinstance(dtype, pl.List | pl.Array):
        inner = pl.List(pl.String) if isinstance(dtype.inner, pl.Enum) else dtype
        return [None if value is None else list(map(_exact, value)) for value in series.cast(inner).to_list()]
    return [_exact(value) for value in series.to_list()]


def _exact(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC)
    return repr(value) if isinstance(value, float) else value


def as_json(value: Any) -> Any:
    """What a value is in JSON, by Python's own means."""
    if isinstance(value, dict):
        return {name: as_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    if isinstance(value, float):
        words = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
        return words.get(repr(value)) or Decimal(repr(value))
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, dt.datetime):
        return f"{value.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    return value.isoformat() if isinstance(value, dt.date) else value


def assert_same(back: pl.DataFrame, frame: pl.DataFrame, *, through_json: bool = False) -> None:
    """JSONB has no negative zero."""
    for column in frame.get_columns():
        found = back.get_column(column.name)
        if (
            column.dtype.is_nested()
            and "jsonb" in column_types("items", pl.Schema({"a": column.dtype})).values()
        ):
            texts = [None if text is None else json.loads(text, parse_float=Decimal) for text in found]
            assert texts == as_json(column.to_list()), column.name
        else:
            expected = plain(column)
            if through_json:
                expected = (
                    [_without_sign(value) for value in expected] if _holds_floats(column.dtype) else expected
                )
            assert plain(found) == expected, column.name


def _held_by(conn: Connection, frame: pl.DataFrame) -> pl.DataFrame:
    """PostgreSQL 14 reads no more hours than 32 bits hold; longer durations are refused there by name."""
    if conn.info.server_version >= 150000:
        return frame
    hours = {"us": 2**31 * 3600 * 10**6, "ms": 2**31 * 3600 * 10**3}
    return frame.with_columns(
        (cs.duration(unit).to_physical() % most).cast(pl.Duration(unit))  # type: ignore[arg-type]
        for unit, most in hours.items()
    )


def _holds_floats(dtype: pl.DataType) -> bool:
    return dtype.is_float() or (isinstance(dtype, pl.List) and dtype.inner.is_float())


def _without_sign(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_sign(each) for each in value]
    return "0.0" if value == "-0.0" else value


@pytest.mark.timeout(300 + EXAMPLES)
@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large
    ],
)  # fmt: skip
@given(rows=ROWS)
def test_rows_come_back_as_they_were_from_the_table_and_from_quarantine(
    conn: Connection, tmp_path: Path, rows: list[tuple[Any, ...]]
) -> None:
    frame, types = _held_by(conn, make_frame(rows)), column_types("items", SCHEMA)
    table = qualified("public", "trip")
    with conn.transaction(force_rollback=True):
        conn.execute("SET LOCAL timezone = 'Asia/Kolkata'")
        create_table(conn, "public", "trip", types)
        assert copy_frame(conn, table, frame.lazy()) == frame.height
        back = read_rows(conn, types, sql.SQL("{} typed").format(table))
        assert_same(back, frame)

        conn.execute(sql.SQL("CREATE TABLE other ({})").format(column_definitions(types)))
        assert copy_frame(conn, qualified("public", "other"), frame.lazy()) == frame.height
        differing = sql.SQL(
            "SELECT count(*) FROM (SELECT *, row_number() OVER () FROM trip) a "
            "JOIN (SELECT *, row_number() OVER () FROM other) b USING (row_number) WHERE {}"
        ).format(differing_values(list(types), "a", "b"))
        assert fetch_int(conn, differing) == 0

        written = write_quarantine(with_reason(frame), [], tmp_path / "q.parquet")
        assert written is not None
        kept = pl.read_parquet(written).get_column("row").to_list()
        source = sql.SQL(
            "unnest(%s::jsonb[]) WITH ORDINALITY entry (row, place), "
            "jsonb_populate_record(NULL::{}, entry.row) typed ORDER BY place"
        ).format(table)
        assert_same(read_rows(conn, types, source, kept), frame, through_json=True)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=st.lists(st.none() | MOMENTS, min_size=1, max_size=4), random=st.randoms(use_true_random=False))
def test_times_that_come_again_and_again_come_back_as_they_were(
    conn: Connection, times: list[dt.datetime | None], random: Random
) -> None:
    repeated = times * 8
    random.shuffle(repeated)
    at = pl.Series("at", repeated, pl.Datetime("us", "UTC"))
    frame = at.to_frame().with_columns(
        paris=at.dt.convert_time_zone("Europe/Paris"),
        plain=at.dt.replace_time_zone(None),
        milliseconds=at.cast(pl.Datetime("ms", "UTC")),
        day=at.dt.date(),
    )
    types = column_types("items", frame.schema)
    with conn.transaction(force_rollback=True):
        create_table(conn, "public", "again", types)
        table = qualified("public", "again")
        copy_frame(conn, table, frame.lazy())
        assert_same(read_rows(conn, types, sql.SQL("{} typed").format(table)), frame)
