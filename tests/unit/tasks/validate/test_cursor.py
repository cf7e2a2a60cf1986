"""The cursor: the greatest value over the clean rows that is not later than the cap."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasks.cursors import show_cursor
from tests.unit.tasks.validate.gating import CAP, expect, judge, make_extracted

FAR = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
NOW = dt.datetime.fromisoformat(CAP)
SUITE = [
    expect(
        "expect_column_values_to_be_in_set", column="id", value_set=[1, 2, 3, 4], meta={"quarantine": True}
    )
]


def batch(*moments: Any, dtype: pl.DataType | None = None) -> pl.DataFrame:
    dtype = dtype or pl.Datetime("us", "UTC")
    return pl.DataFrame({"id": range(1, len(moments) + 1), "at": pl.Series(list(moments), dtype=dtype)})


def cursor_of(tmp_path: Path, frame: pl.DataFrame, **options: Any) -> str | None:
    return judge(tmp_path, frame, SUITE, cursor_field="at", **options).cursor


def test_greatest_clean_value_is_the_cursor(tmp_path: Path) -> None:
    moments = [NOW - dt.timedelta(hours=hours) for hours in (3, 1, 2)]
    assert cursor_of(tmp_path, batch(*moments, None)) == show_cursor(moments[1])


def test_quarantined_row_does_not_move_the_cursor(tmp_path: Path) -> None:
    moments = [NOW - dt.timedelta(hours=hours) for hours in (5, 4, 3, 2, 1)]
    assert cursor_of(tmp_path, batch(*moments)) == show_cursor(moments[3])


def test_value_after_the_cap_does_not_move_the_cursor(tmp_path: Path) -> None:
    hour_ago = NOW - dt.timedelta(hours=1)
    assert cursor_of(tmp_path, batch(hour_ago, FAR, NOW + dt.timedelta(microseconds=1))) == show_cursor(
        hour_ago
    )
    assert cursor_of(tmp_path, batch(hour_ago, NOW)) == show_cursor(NOW)
    assert cursor_of(tmp_path, batch(FAR)) is None


def test_without_a_cap_the_greatest_counts(tmp_path: Path) -> None:
    frame = batch(NOW, FAR)
    assert cursor_of(tmp_path, frame, extracted=make_extracted(2, cursor_cap=None)) == show_cursor(FAR)


def test_nothing_clean_has_no_cursor_but_carries_one(tmp_path: Path) -> None:
    frame = batch(NOW).with_columns(id=pl.lit(9))
    verdict = judge(tmp_path, frame, SUITE, cursor_field="at")
    assert (verdict.carries_cursor, verdict.cursor) == (True, None)


@pytest.mark.parametrize(
    ("values", "dtype", "cursor"),
    [
        ([dt.date(2026, 1, 1), dt.date(2026, 1, 2), dt.date(9999, 1, 1)], pl.Date(), "2026-01-02"),
        (
            [dt.datetime(2026, 1, 2, 3, 9, 5), dt.datetime(9999, 1, 1)],  # noqa: DTZ001
            pl.Datetime("us"),
            "2026-01-02T03:09:05",
        ),
        (
            [NOW, dt.datetime(2200, 1, 1, tzinfo=dt.UTC)],
            pl.Datetime("ns", "America/New_York"),
            "2026-01-02T03:09:05Z",
        ),
    ],
)
def test_dates_and_times_of_any_kind_can_be_cursors(
    tmp_path: Path, values: list[Any], dtype: pl.DataType, cursor: str
) -> None:
    assert cursor_of(tmp_path, batch(*values, dtype=dtype)) == cursor


@pytest.mark.parametrize("values", [["2026-01-01"], [20260101], [None]])
def test_column_without_times_or_dates_carries_no_cursor(tmp_path: Path, values: list[Any]) -> None:
    frame = pl.DataFrame({"id": [1], "at": values})
    verdict = judge(tmp_path, frame, cursor_field="at")
    assert (verdict.carries_cursor, verdict.cursor) == (False, None)


@pytest.mark.parametrize("field", [None, "absent"])
def test_table_without_the_field_carries_no_cursor(tmp_path: Path, field: str | None) -> None:
    verdict = judge(tmp_path, batch(NOW), cursor_field=field)
    assert (verdict.carries_cursor, verdict.cursor) == (False, None)
