"""Keys: which rows of a batch are the newest of their key, and which cannot be told apart."""

import datetime as dt
import math
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tasks.validate.keys import NULL_KEY, TIE, Keyed, resolve_keys
from tasks.validate.quarantine import REASONS

NAN = math.nan
SCHEMA = {"a": pl.Float64, "b": pl.String, "version": pl.Int64, "value": pl.Float64}
ROWS = st.lists(
    st.tuples(
        st.sampled_from([None, 0.0, 1.0, NAN]),
        st.sampled_from([None, "x", "y"]),
        st.sampled_from([None, 1, 2]),
        st.sampled_from([None, 0.5, NAN]),
    ),
    max_size=14,
)


def resolve(
    frame: pl.DataFrame, key: Sequence[str] = ("k",), version_by: str | None = None
) -> tuple[pl.DataFrame, Keyed]:
    keyed = resolve_keys(frame.lazy(), key, version_by)
    return keyed.remaining.collect(), keyed


def counts(frame: pl.DataFrame, **options: Any) -> tuple[int, int, int]:
    remaining, keyed = resolve(frame, **options)
    return remaining.height, keyed.superseded, keyed.faulty.height


def as_sets(remaining: pl.DataFrame, keyed: Keyed) -> tuple[list[str], list[str]]:
    return sorted(map(str, remaining.rows())), sorted(map(str, keyed.faulty.rows()))


@given(rows=ROWS, version_by=st.sampled_from([None, "version"]))
def test_rows_are_remaining_or_superseded_or_faulty(rows: list[Any], version_by: str | None) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    remaining, keyed = resolve(frame, ("a", "b"), version_by)
    assert frame.height == remaining.height + keyed.superseded + keyed.faulty.height
    assert remaining.select("a", "b").null_count().row(0) == (0, 0)
    assert not remaining.select("a", "b").is_duplicated().any()
    assert remaining.schema == frame.schema
    assert all(len(reasons) == 1 for reasons in keyed.faulty[REASONS])


@given(rows=ROWS, version_by=st.sampled_from([None, "version"]), data=st.data())
def test_result_does_not_depend_on_the_order_of_rows(
    rows: list[Any], version_by: str | None, data: st.DataObject
) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    shuffled = pl.DataFrame(data.draw(st.permutations(rows)), schema=SCHEMA, orient="row")
    assert as_sets(*resolve(frame, ("a", "b"), version_by)) == as_sets(
        *resolve(shuffled, ("a", "b"), version_by)
    )


@given(rows=ROWS)
def test_remaining_row_is_no_older_than_any_of_its_key(rows: list[Any]) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    remaining, _ = resolve(frame, ("a", "b"), "version")
    greatest = frame.group_by("a", "b").agg(pl.col("version").max().alias("greatest"))
    joined = remaining.join(greatest, on=["a", "b"], how="left")
    assert joined["version"].eq_missing(joined["greatest"]).all()


def test_batch_without_repeated_keys_remains_as_it_is() -> None:
    frame = pl.DataFrame({"k": [3, 1, 2], "v": ["c", "a", "b"]})
    remaining, keyed = resolve(frame)
    assert_frame_equal(remaining, frame)
    assert (keyed.superseded, keyed.faulty.height) == (0, 0)


def test_exact_copies_are_superseded() -> None:
    assert counts(pl.DataFrame({"k": [1, 1, 1, 2], "v": ["a", "a", "a", "b"]})) == (2, 2, 0)


def test_older_versions_are_superseded_by_the_newest() -> None:
    frame = pl.DataFrame({"k": [1, 1, 1], "v": ["old", "new", "mid"], "at": [1, 3, 2]})
    remaining, keyed = resolve(frame, version_by="at")
    assert remaining["v"].to_list() == ["new"]
    assert keyed.superseded == 2


def test_null_is_the_oldest_version() -> None:
    frame = pl.DataFrame({"k": [1, 1], "v": ["a", "b"], "at": [None, 1]})
    remaining, _ = resolve(frame, version_by="at")
    assert remaining["v"].to_list() == ["b"]


def test_rows_of_one_key_without_any_version_are_a_tie() -> None:
    frame = pl.DataFrame(
        {"k": [1, 1], "v": ["a", "b"], "at": [None, None]}, schema_overrides={"at": pl.Int64}
    )
    assert counts(frame, version_by="at") == (0, 0, 2)


def test_tie_is_faulty_and_its_exact_copies_superseded() -> None:
    frame = pl.DataFrame({"k": [1, 1, 1, 1], "v": ["a", "a", "b", "old"], "at": [2, 2, 2, 1]})
    remaining, keyed = resolve(frame, version_by="at")
    assert remaining.is_empty()
    assert keyed.superseded == 2
    assert sorted(keyed.faulty["v"]) == ["a", "b"]
    assert keyed.faulty[REASONS].to_list() == [[TIE], [TIE]]


def test_null_in_any_key_column_is_faulty_and_named() -> None:
    frame = pl.DataFrame({"a": [1, None, 2], "b": [1, 1, None]})
    remaining, keyed = resolve(frame, ("a", "b"))
    assert remaining.height == 1
    assert keyed.faulty[REASONS].to_list() == [[NULL_KEY.format(column=name)] for name in ("a", "b")]


def test_rows_with_a_null_key_are_all_faulty_even_copies() -> None:
    assert counts(pl.DataFrame({"k": [None, None], "v": [1, 1]}, schema_overrides={"k": pl.Int64})) == (
        0,
        0,
        2,
    )


def test_nan_is_one_key_as_in_postgres() -> None:
    assert counts(pl.DataFrame({"k": [NAN, NAN, 1.0], "v": [1, 2, 3]})) == (1, 0, 2)
    assert counts(pl.DataFrame({"k": [0.0, -0.0], "v": [1, 1]})) == (1, 1, 0)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([NAN, NAN, 1.0], pl.Float64),
        ([{"x": 1}, {"x": 1}, {"x": 2}], pl.Struct({"x": pl.Int64})),
        ([[1, None], [1, None], [2]], pl.List(pl.Int64)),
        ([[{"x": NAN}], [{"x": NAN}], []], pl.List(pl.Struct({"x": pl.Float64}))),
        ([[1, 2], [1, 2], [3, 4]], pl.Array(pl.Int64, 2)),
        (["x", "x", "y"], pl.Categorical),
        (["x", "x", "y"], pl.Enum(["x", "y"])),
        ([b"x", b"x", b"y"], pl.Binary),
        ([dt.timedelta(1), dt.timedelta(1), None], pl.Duration),
        ([None, None, None], pl.Null),
    ],
)
def test_copies_are_found_in_columns_of_any_type(values: list[Any], dtype: pl.DataType) -> None:
    copies = pl.DataFrame({"k": [1, 1, 2], "v": values}, schema_overrides={"v": dtype})
    assert counts(copies) == (2, 1, 0)
    if dtype != pl.Null:
        ties = pl.DataFrame({"k": [1, 2, 1], "v": values}, schema_overrides={"v": dtype})
        assert counts(ties) == (1, 0, 2)


@pytest.mark.parametrize("name", ["len", "count", "index", "literal", 'a "b"', "x y", "^x", "ключ"])
def test_key_column_may_have_any_name(name: str) -> None:
    frame = pl.DataFrame({name: [1, 1, 2, None], "v": [1, 2, 3, 4]})
    assert counts(frame, key=(name,)) == (1, 0, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
def test_million_rows_without_repeated_keys_need_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    rows = 1_000_000
    columns = {f"c{number}": pl.int_range(rows, eager=True) * 0.5 for number in range(10)}
    pl.DataFrame({"k": pl.int_range(rows, eager=True), **columns}).write_parquet(file)
    del columns
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    keyed = resolve_keys(pl.scan_parquet(file), ["k"], None)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert (keyed.superseded, keyed.faulty.height) == (0, 0)
    assert grown_mb < 250
