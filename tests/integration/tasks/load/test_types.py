"""Values on their way from Polars to Postgres and back."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tasks.errors import ConfigurationError
from tasks.load.connection import Connection, open_connection
from tasks.load.ddl import column_definitions, column_types, identifiers, qualified
from tasks.load.reading import read_rows
from tasks.load.staging import copy_frame
from tests.integration.tasks.load.builders import Shop


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    with open_connection(dsn) as conn:
        yield conn


def round_trip(conn: Connection, frame: pl.DataFrame) -> list[tuple[object, ...]]:
    with conn.transaction(force_rollback=True):
        conn.execute("SET LOCAL timezone = 'UTC'")
        table = qualified("public", "trip")
        conn.execute(
            sql.SQL("CREATE TABLE {} ({})").format(
                table, column_definitions(column_types("items", frame.schema))
            )
        )
        assert copy_frame(conn, table, frame.lazy()) == frame.height
        query = sql.SQL("SELECT {} FROM {}").format(identifiers(frame.columns), table)
        return conn.execute(query).fetchall()


def test_a_category_and_an_enumeration_become_text(conn: Connection) -> None:
    frame = pl.DataFrame({"a": ["x", None], "b": ["y", None]}).cast(
        {"a": pl.Categorical, "b": pl.Enum(["y"])}
    )
    assert round_trip(conn, frame) == [("x", "y"), (None, None)]


def test_a_moment_of_local_mean_time_is_exact(conn: Connection) -> None:
    """Before 1892 clocks in Paris were 9 minutes and 21 seconds ahead: CSV has no seconds for offsets."""
    moment = dt.datetime(1850, 1, 1, 12, tzinfo=dt.UTC)
    frame = pl.DataFrame({"at": [moment]}).with_columns(pl.col("at").dt.convert_time_zone("Europe/Paris"))
    assert round_trip(conn, frame) == [(moment,)]


def test_the_twice_told_hour_stays_two_hours(conn: Connection) -> None:
    hours = [dt.datetime(2013, 11, 3, hour, 30, tzinfo=dt.UTC) for hour in (5, 6)]
    frame = pl.DataFrame({"at": hours}).with_columns(pl.col("at").dt.convert_time_zone("America/New_York"))
    assert round_trip(conn, frame) == [(hour,) for hour in hours]


def test_a_single_column_of_texts_keeps_its_rows(conn: Connection) -> None:
    texts = ["", "\\.", "\\N", "\n", "NULL"]
    assert round_trip(conn, pl.DataFrame({"a": texts})) == [(text,) for text in texts]


def test_another_encoding_of_the_environment_changes_nothing(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "latin1")
    for name in (dsn, make_conninfo(dsn, client_encoding="latin1")):
        with open_connection(name) as conn:
            assert round_trip(conn, pl.DataFrame({"a": ["naïve 👩"]})) == [("naïve 👩",)]


def test_a_type_without_a_counterpart_is_refused_by_name(shop: Shop) -> None:
    odd = pl.Series("odd", [None], pl.Null)
    with pytest.raises(ConfigurationError, match=r"Column 'odd' is Null.*Cast it in the transform"):
        shop.load(pl.DataFrame([pl.Series("id", [1]), odd]))


@pytest.mark.parametrize(
    ("value", "dtype"),
    [("a\x00b", pl.String), (-3_000_000, pl.Date), (2**31 - 1, pl.Date)],
    ids=["NUL", "before 4713 BC", "after 5874897"],
)
def test_a_value_that_postgres_cannot_hold_is_named(shop: Shop, value: Any, dtype: Any) -> None:
    odd = pl.Series("odd", [value]).cast(dtype)
    with pytest.raises(ConfigurationError, match=r"items: Postgres cannot hold a value: .*line 1"):
        shop.load(pl.DataFrame([pl.Series("id", [1]), odd]))


def test_a_changed_type_is_refused_with_both_types(shop: Shop) -> None:
    shop.load(pl.DataFrame({"id": [1], "value": ["a"]}))
    with pytest.raises(
        ConfigurationError, match="1 of 2 columns have another type: value is text, the data has bigint"
    ):
        shop.load(pl.DataFrame({"id": [1], "value": [1]}))


def test_a_number_without_a_scale_is_read_with_the_digits_that_it_needs(conn: Connection) -> None:
    source = sql.SQL("unnest(%s::numeric[]) typed (a)")
    numbers = [Decimal("1.5"), None, Decimal("-0.001"), Decimal("1e30")]
    assert read_rows(conn, {"a": "numeric"}, source, numbers).get_column("a").to_list() == numbers
    for beyond in ("1e36", "NaN", "Infinity"):
        with pytest.raises(ConfigurationError, match=r"Column 'a' is numeric and holds .*38 digits"):
            read_rows(conn, {"a": "numeric"}, source, [Decimal("0.001"), Decimal(beyond)])


def test_a_time_finer_than_microseconds_is_refused_with_how_many_there_are(shop: Shop) -> None:
    times = pl.Series("at", [1000, 1, 2], pl.Int64).cast(pl.Time)
    with pytest.raises(ConfigurationError, match=r"Column 'at' is a time of day, 2 of 3 values are finer"):
        shop.load(pl.DataFrame([pl.Series("id", [1, 2, 3]), times]))


def test_objects_and_arrays_are_compared_by_value(shop: Shop) -> None:
    frame = pl.DataFrame({"id": [1], "object": [{"b": 1, "a": [1.5]}], "list": [["x", None]]})
    shop.load(frame)
    swapped = frame.with_columns(object=pl.struct(a=pl.lit([1.5]), b=pl.lit(1)))
    assert shop.load(swapped).tables[0].unchanged == 1
    assert shop.load(frame.with_columns(list=pl.lit([["x"]]).list.first())).tables[0].updated == 1
