"""Names in 63 bytes."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import ConfigurationError
from tasks.load.ddl import fit_name, postgres_type
from tasks.load.staging import staging_name, staging_prefix

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@given(name=TEXTS)
def test_a_fitted_name_is_one_that_postgres_takes_whole(name: str) -> None:
    assert len(fit_name(name).encode()) <= 63


@given(name=TEXTS)
def test_a_name_that_fits_stays(name: str) -> None:
    assert (fit_name(name) == name) == (len(name.encode()) <= 63)


@given(names=st.sets(TEXTS.map(lambda text: "x" * 60 + text), min_size=2, max_size=2))
def test_fitted_names_stay_apart(names: set[str]) -> None:
    assert len({fit_name(name) for name in names}) == 2


def test_staging_tables_are_found_by_their_load() -> None:
    load_id = "shop-20240101T120000-0123abcd"
    assert staging_name(load_id, "items") == "0123abcd_items"
    assert staging_name(load_id, "x" * 70).startswith(staging_prefix(load_id))


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (pl.UInt64(), "numeric(20,0)"),
        (pl.Decimal(10, 2), "numeric(10,2)"),
        (pl.Datetime("us", "Europe/Paris"), "timestamp with time zone"),
        (pl.Datetime("ms"), "timestamp without time zone"),
        (pl.Enum(["a"]), "text"),
    ],
)
def test_types_have_a_counterpart_that_holds_all_their_values(dtype: pl.DataType, expected: str) -> None:
    assert postgres_type("column", dtype) == expected


def test_nanoseconds_are_refused_for_they_would_be_rounded() -> None:
    with pytest.raises(ConfigurationError, match=r"'at' is .*ns.*Postgres keeps microseconds"):
        postgres_type("at", pl.Datetime("ns"))
