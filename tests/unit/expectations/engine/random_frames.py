"""Any frame: columns of every kind that Polars has, with nulls, NaN, odd text and hours that exist twice."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import strategies as st

UTC = dt.UTC


@dataclass(frozen=True)
class Kind:
    """A kind of column.

    Attributes:
        dtype: its type.
        cells: its values, without null.
        family: what can be asked of it.
    """

    dtype: pl.DataType
    cells: st.SearchStrategy[Any]
    family: str


TEXTS = ["", "a", "ab", "é", "e\u0301", "日本", "A\n", "12", "1.5", "<b>", "a|b", "b%", "x_y", "\x00"]
JSON_TEXTS = ["1", "{}", '{"a": 1}', '{"a": "b"}', "[1, 2]", "null", "{", "é", ""]
DATE_TEXTS = ["2024-02-29", "2024-02-30", "29.2.2024", "12:00", "tomorrow", "1", "", "2024-02-29T12:00:00Z"]
ENUM = ["b", "a", "ab", "c"]
_DAYS = [dt.date(2024, 2, 28), dt.date(2024, 2, 29), dt.date(2024, 3, 1), dt.date(1969, 12, 31)]
_MOMENTS = [
    dt.datetime(2024, 2, 29, 12),  # noqa: DTZ001  (the zone is the column's)
    dt.datetime(2024, 2, 29),  # noqa: DTZ001
    dt.datetime(2024, 2, 29, 23, 59, 59, 999_999),  # noqa: DTZ001
    dt.datetime(2024, 10, 27, 0, 30),  # noqa: DTZ001  (02:30 in Paris, the first time)
    dt.datetime(2024, 10, 27, 1, 30),  # noqa: DTZ001  (02:30 in Paris, the second time)
    dt.datetime(1969, 12, 31, 23, 0, 0, 1000),  # noqa: DTZ001
]
_FLOATS = [float("nan"), float("inf"), float("-inf"), -1.5, -0.0, 0.0, 0.1, 0.3, 1.0, 2.0, 3.0, 1e300]
_aware = [moment.replace(tzinfo=UTC) for moment in _MOMENTS]
_small = st.integers(-2, 4)
_wide = st.integers(-2, 3) | st.sampled_from([2**53 + 1, 2**63 - 1, -(2**63), 2**40])
_decimals = ["0.00", "1.10", "-1.10", "2.20", "3.30", "100.00", "1.00"]

KINDS: dict[str, Kind] = {
    "int": Kind(pl.Int64(), _small, "number"),
    "int8": Kind(pl.Int8(), _small | st.sampled_from([127, -128]), "number"),
    "uint8": Kind(pl.UInt8(), st.integers(0, 4) | st.just(255), "number"),
    "uint64": Kind(pl.UInt64(), st.integers(0, 3) | st.sampled_from([2**63, 2**64 - 1]), "number"),
    "wide": Kind(pl.Int64(), _wide, "number"),
    "int128": Kind(pl.Int128(), _small | st.sampled_from([2**70, -(2**70)]), "number"),
    "float": Kind(pl.Float64(), st.sampled_from(_FLOATS), "number"),
    "float32": Kind(pl.Float32(), st.sampled_from([float("nan"), -1.5, 0.0, 0.5, 1.0, 2.0]), "number"),
    "decimal": Kind(pl.Decimal(10, 2), st.sampled_from([Decimal(text) for text in _decimals]), "number"),
    "text": Kind(pl.String(), st.sampled_from(TEXTS) | st.text(max_size=3), "text"),
    "json": Kind(pl.String(), st.sampled_from(JSON_TEXTS), "text"),
    "dates in text": Kind(pl.String(), st.sampled_from(DATE_TEXTS), "text"),
    "category": Kind(pl.Categorical(), st.sampled_from(["a", "ab", "é", ""]), "text"),
    "enum": Kind(pl.Enum(ENUM), st.sampled_from(ENUM), "text"),
    "bool": Kind(pl.Boolean(), st.booleans(), "bool"),
    "date": Kind(pl.Date(), st.sampled_from(_DAYS), "moment"),
    "datetime": Kind(pl.Datetime("us"), st.sampled_from(_MOMENTS), "moment"),
    "datetime ms": Kind(pl.Datetime("ms"), st.sampled_from(_MOMENTS), "moment"),
    "datetime ns": Kind(pl.Datetime("ns"), st.sampled_from(_MOMENTS), "moment"),
    "datetime utc": Kind(pl.Datetime("us", "UTC"), st.sampled_from(_aware), "moment"),
    "datetime paris": Kind(pl.Datetime("us", "Europe/Paris"), st.sampled_from(_aware), "moment"),
    "time": Kind(pl.Time(), st.sampled_from([dt.time(0), dt.time(12, 30), dt.time(23, 59, 59, 1)]), "time"),
    "duration": Kind(pl.Duration("us"), st.integers(-2, 2).map(lambda h: dt.timedelta(hours=h)), "duration"),
    "binary": Kind(pl.Binary(), st.sampled_from([b"", b"a", b"\xff"]), "other"),
    "list": Kind(pl.List(pl.Int64()), st.lists(_small, max_size=2), "nested"),
    "array": Kind(pl.Array(pl.Int64(), 2), st.tuples(_small, _small).map(list), "nested"),
    "struct": Kind(
        pl.Struct({"x": pl.Int64(), "y": pl.String()}),
        st.fixed_dictionaries({"x": st.none() | _small, "y": st.sampled_from(["a", "b"])}),
        "nested",
    ),
    "nothing": Kind(pl.Null(), st.none(), "other"),
}
COMMON = ["int", "float", "text", "datetime", "date", "bool", "decimal"]
NAMES = ["a", "b", "c", "d"]


@dataclass(frozen=True)
class Sample:
    """A frame and the kind of each of its columns; `n` and `g` are always there, without nulls."""

    frame: pl.DataFrame
    kinds: dict[str, str]


@st.composite
def samples(draw: st.DrawFn, max_size: int = 8) -> Sample:
    """Draw a frame of two to six columns and up to `max_size` rows."""
    height = draw(st.integers(0, max_size))
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    kinds = {name: draw(st.sampled_from(COMMON) | st.sampled_from(sorted(KINDS))) for name in names}
    columns = [draw(_columns(name, kind, height)) for name, kind in kinds.items()]
    numbers = draw(st.lists(_small, min_size=height, max_size=height))
    groups = draw(st.lists(st.sampled_from(["x", "y"]), min_size=height, max_size=height))
    fixed = [pl.Series("n", numbers, dtype=pl.Int64), pl.Series("g", groups, dtype=pl.String)]
    return Sample(pl.DataFrame([*columns, *fixed]), {**kinds, "n": "int", "g": "text"})


def _columns(name: str, kind: str, height: int) -> st.SearchStrategy[pl.Series]:
    cells = KINDS[kind].cells
    values = st.lists(st.none() | cells, min_size=height, max_size=height) | st.lists(
        cells, min_size=height, max_size=height
    )
    nothing = st.just([None] * height)
    return st.one_of(values, values, values, nothing).map(
        lambda found: pl.Series(name, found, dtype=KINDS[kind].dtype)
    )
