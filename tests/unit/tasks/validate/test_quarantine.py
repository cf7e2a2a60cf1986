"""Quarantined rows as JSON: what was in the row is what is written, whatever it is."""

import datetime as dt
import decimal
import json
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.validate.quarantine import REASON_LENGTH, REASONS, state_reason, write_quarantine
from tests.unit.tasks.validate.gating import expect, judge, read_quarantine

TEXT = st.text(st.characters(blacklist_categories=["Cs"]))


def written(tmp_path: Path, frame: pl.DataFrame, key: tuple[str, ...] = ("id",)) -> pl.DataFrame:
    rows = frame.with_columns(pl.lit(["because"]).alias(REASONS))
    file = write_quarantine(rows, key, tmp_path / "quarantine.parquet")
    assert file is not None
    return pl.read_parquet(file)


def value_of(tmp_path: Path, value: Any, dtype: Any = None) -> Any:
    frame = pl.DataFrame({"id": [1], "v": pl.Series([value], dtype=dtype)})
    return json.loads(written(tmp_path, frame)["row"][0], parse_constant=pytest.fail)["v"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "id": st.integers(-(2**63), 2**63 - 1),
                'x "y"': TEXT | st.none(),
                "f": st.floats(allow_nan=False, allow_infinity=False) | st.none(),
                "b": st.booleans() | st.none(),
                "l": st.lists(TEXT) | st.none(),
            }
        ),
        min_size=1,
        max_size=5,
    )
)
def test_row_parses_back_to_its_values(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    schema: dict[str, Any] = {
        "id": pl.Int64,
        'x "y"': pl.String,
        "f": pl.Float64,
        "b": pl.Boolean,
        "l": pl.List(pl.String),
    }
    found = written(tmp_path, pl.DataFrame(rows, schema=schema))
    assert [json.loads(row) for row in found["row"]] == rows
    assert [json.loads(key) for key in found["key"]] == [{"id": row["id"]} for row in rows]


@pytest.mark.parametrize(
    ("value", "dtype", "as_json"),
    [
        # As Postgres writes them in JSON, and reads them back as numbers.
        (math.nan, pl.Float64, "NaN"),
        (math.inf, pl.Float64, "Infinity"),
        (-math.inf, pl.Float32, "-Infinity"),
        ([1.5, math.nan], pl.List(pl.Float64), [1.5, "NaN"]),
        ({"x": math.inf}, pl.Struct({"x": pl.Float64}), {"x": "Infinity"}),
        (decimal.Decimal("12345678901234567890.10"), pl.Decimal(38, 2), "12345678901234567890.10"),
        (2**64 - 1, pl.UInt64, 2**64 - 1),
        (b"\xff\x00", pl.Binary, "\\xff00"),
        (dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC), None, "2026-01-02T03:04:05.000006Z"),
        (dt.datetime(2026, 1, 2, 3, 4, 5), None, "2026-01-02T03:04:05"),  # noqa: DTZ001
        (dt.date(1, 1, 1), None, "0001-01-01"),
        (dt.time(23, 59, 59, 999999), None, "23:59:59.999999"),
        (dt.timedelta(days=-1, seconds=5), None, "-23:59:55.000000"),
        ("x", pl.Categorical, "x"),
        ("x", pl.Enum(["x"]), "x"),
        (None, pl.Null, None),
        (
            "<script>alert('1')</script>\n\"\\\x00\u2028\U0001f600",
            None,
            "<script>alert('1')</script>\n\"\\\x00\u2028\U0001f600",
        ),
        ("x" * 3_000_000, None, "x" * 3_000_000),
    ],
)
def test_values_of_every_type_are_json(tmp_path: Path, value: Any, dtype: Any, as_json: Any) -> None:
    assert value_of(tmp_path, value, dtype) == as_json


def test_key_that_is_not_a_number_is_written_as_postgres_writes_it(tmp_path: Path) -> None:
    found = written(tmp_path, pl.DataFrame({"id": [math.nan]}))
    assert found["key"][0] == '{"id":"NaN"}'


def test_key_has_the_columns_in_their_declared_order(tmp_path: Path) -> None:
    found = written(tmp_path, pl.DataFrame({"a": [1], "b": [None], "c": [3]}), ("c", "b"))
    assert found["key"][0] == '{"c":3,"b":null}'


def test_hash_is_that_of_the_values_whatever_the_order_of_columns(tmp_path: Path) -> None:
    first = written(tmp_path, pl.DataFrame({"id": [1, 2], "v": ["a", "a"]}))["row_sha256"]
    second = written(tmp_path, pl.DataFrame({"v": ["a", "a"], "id": [1, 2]}))["row_sha256"]
    assert first.to_list() == second.to_list()
    assert first[0] != first[1]


def test_no_rows_write_no_file(tmp_path: Path) -> None:
    rows = pl.DataFrame({"id": [], REASONS: []})
    assert write_quarantine(rows, ("id",), tmp_path / "quarantine.parquet") is None
    assert not list(tmp_path.iterdir())


def test_hostile_values_pass_the_gate_unharmed(tmp_path: Path) -> None:
    values = ["<script>alert(1)</script>", "'; DROP TABLE x; --", "a\nb\r", "\U0001f600", "x" * 100_000]
    frame = pl.DataFrame({"id": range(5), "v": values})
    suite = [
        expect(
            "expect_column_values_to_be_in_set",
            column="v",
            value_set=["{v}", "</script>"],
            meta={"quarantine": True},
        )
    ]
    verdict = judge(tmp_path, frame, suite)
    assert [row["row"]["v"] for row in read_quarantine(verdict)] == values
    assert verdict.outcomes[0].examples == tuple(values)


def test_reason_states_what_was_expected() -> None:
    expectation = expect(
        "expect_column_pair_values_a_to_be_greater_than_b", column_A="x", column_B="y", or_equal=True
    )
    assert state_reason(expectation) == (
        "x, y: expect_column_pair_values_a_to_be_greater_than_b(or_equal=True)"
    )


def test_reason_is_bounded() -> None:
    expectation = expect("expect_column_values_to_be_in_set", column="v", value_set=list(range(10_000)))
    reason = state_reason(expectation)
    assert len(reason) == REASON_LENGTH
    assert reason.startswith("v: expect_column_values_to_be_in_set(value_set=[0, 1,")
