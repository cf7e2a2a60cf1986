"""Names in 63 bytes."""

import polars as pl
import pytest
from pydantic import ValidationError

from tasks.errors import ConfigurationError
from tasks.load.names import MAX_NAME_BYTES
from tasks.load.staging import staging_name, staging_prefix
from tasks.load.types import postgres_type
from tasks.pipeline import Table

LONGEST = "x" * 50


def test_the_longest_name_of_a_table_leaves_room_for_what_is_made_of_it() -> None:
    Table(primary_key=("id",), name=LONGEST)
    with pytest.raises(ValidationError):
        Table(primary_key=("id",), name=f"{LONGEST}x")
    names = [
        staging_name("shop-20240101T120000-0123abcd", LONGEST),
        f"changed_{LONGEST}",
        f"touched_{LONGEST}",
    ]
    assert max(map(len, names)) < MAX_NAME_BYTES


def test_staging_tables_are_found_by_their_load() -> None:
    load_id = "shop-20240101T120000-0123abcd"
    assert staging_name(load_id, "items") == "0123abcd_items"
    assert staging_name(load_id, "items").startswith(staging_prefix(load_id))


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (pl.UInt64(), "numeric(20,0)"),
        (pl.Decimal(10, 2), "numeric(10,2)"),
        (pl.Datetime("us", "Europe/Paris"), "timestamp with time zone"),
        (pl.Datetime("ms"), "timestamp without time zone"),
        (pl.Enum(["a"]), "text"),
        (pl.UInt128(), "numeric(39,0)"),
        (pl.Duration("us"), "interval"),
        (pl.List(pl.Decimal(10, 2)), "numeric(10,2)[]"),
        (pl.Array(pl.Binary(), 2), "bytea[]"),
        (pl.List(pl.List(pl.Int64())), "jsonb"),
        (pl.Struct({"a": pl.Null(), "b": pl.List(pl.Date())}), "jsonb"),
    ],
)
def test_types_have_a_counterpart_that_holds_all_their_values(dtype: pl.DataType, expected: str) -> None:
    assert postgres_type("column", dtype) == expected


@pytest.mark.parametrize(
    "dtype",
    [pl.Null(), pl.Object(), pl.List(pl.Null()), pl.Struct({"a": pl.Object()})],
    ids=str,
)
def test_types_without_a_counterpart_are_refused(dtype: pl.DataType) -> None:
    with pytest.raises(ConfigurationError, match=r"Column 'odd(\.a)?' is .* Cast it in the transform"):
        postgres_type("odd", dtype)


def test_nanoseconds_are_refused_for_they_would_be_rounded() -> None:
    for dtype in (pl.Datetime("ns"), pl.Duration("ns"), pl.List(pl.Datetime("ns", "UTC"))):
        with pytest.raises(ConfigurationError, match=r"'at' is .*ns.*Postgres keeps microseconds"):
            postgres_type("at", dtype)
