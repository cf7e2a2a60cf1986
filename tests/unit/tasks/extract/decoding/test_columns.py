import datetime as dt
import decimal
import uuid
from typing import Annotated, Any, Literal

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta, Raw, Struct
from polars.testing import assert_frame_equal

from tasks.errors import ConfigurationError
from tasks.extract.decoding.columns import Columns
from tasks.extract.decoding.instants import UnstorableTimeError
from tasks.extract.decoding.storable import may_be_unstorable
from tasks.extract.decoding.strict import build_record


class Everything(Struct, rename="camel"):
    a_count: int
    a_share: float | None
    a_name: Annotated[str, Meta(max_length=20)]
    is_late: bool
    kind: Literal["a", "b"]
    sent_at: dt.datetime | None
    local_at: Annotated[dt.datetime, Meta(tz=False)]
    day: dt.date
    price_eur: decimal.Decimal
    key: uuid.UUID
    tags: list[str]
    details: Raw
    note: str | None = None


JSON = (
    b'{"aCount": 9223372036854775807, "aShare": 1, "aName": "x", "isLate": true, "kind": "a", '
    b'"sentAt": "2013-01-01T05:00:00.000001+02:00", "localAt": "2013-01-01T05:00:00", "day": "2013-01-01", '
    b'"priceEur": "12.50", "key": "c4524ac0-e81e-4aa8-a595-0aec605a659a", "tags": ["p", "q"], '
    b'"details": {"deep": [1]}}'
)


def decode(record: type[Struct], *texts: bytes) -> pl.DataFrame:
    columns = Columns("r", build_record(record))
    chunks = [columns.make_chunk([msgspec.json.decode(text, type=columns.record)]) for text in texts]
    return columns.join(chunks)


def test_every_supported_type_has_its_column() -> None:
    expected = pl.DataFrame(
        {
            "a_count": [2**63 - 1],
            "a_share": [1.0],
            "a_name": ["x"],
            "is_late": [True],
            "kind": ["a"],
            "sent_at": pl.Series(
                [dt.datetime(2013, 1, 1, 3, 0, 0, 1, dt.UTC)], dtype=pl.Datetime("us", "UTC")
            ),
            "local_at": pl.Series([dt.datetime(2013, 1, 1, 5)], dtype=pl.Datetime("us")),  # noqa: DTZ001
            "day": [dt.date(2013, 1, 1)],
            "price_eur": pl.Series([decimal.Decimal("12.5")], dtype=pl.Decimal(38, 12)),
            "key": ["c4524ac0-e81e-4aa8-a595-0aec605a659a"],
            "tags": [["p", "q"]],
            "details": ['{"deep": [1]}'],
            "note": pl.Series([None], dtype=pl.String),
        }
    )
    assert_frame_equal(decode(Everything, JSON), expected)


def test_no_records_make_a_frame_with_the_same_columns() -> None:
    assert decode(Everything).schema == decode(Everything, JSON).schema


class Times(Struct):
    at: dt.datetime | None


def test_records_of_two_types_are_no_chunk() -> None:
    two = msgspec.defstruct("Two", [("at", dt.datetime), ("other", int)])
    columns = Columns("r", build_record(Times))
    with pytest.raises(ValueError, match="unpack"):
        columns.make_chunk([Times(at=None), two(dt.datetime(2013, 1, 1, tzinfo=dt.UTC), 1), Times(at=None)])


STORABLE = st.datetimes(dt.datetime(1, 1, 3), dt.datetime(9999, 12, 29), timezones=st.timezones())  # noqa: DTZ001  bounds have none


@given(st.lists(st.none() | STORABLE))
def test_times_arrive_exactly(moments: list[dt.datetime | None]) -> None:
    rows: list[Struct] = [Times(at=moment) for moment in moments]
    columns = Columns("r", build_record(Times))
    micros = [
        None
        if moment is None
        else (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
        for moment in moments
    ]
    assert columns.join([columns.make_chunk(rows)])["at"].cast(pl.Int64).to_list() == micros


@pytest.mark.parametrize(
    "kind", [dict[str, int], Any, int | str, set[int], Literal[1, 2], list[dict[str, int]]]
)
def test_a_type_without_a_column_is_refused_by_name(kind: Any) -> None:
    record = msgspec.defstruct("Record", [("odd", kind)])
    with pytest.raises(ConfigurationError, match=r"r: field 'odd' .* msgspec.Raw"):
        Columns("r", build_record(record))


class Checked(Struct, forbid_unknown_fields=True):
    count: Annotated[int, Meta(ge=1)]
    at: dt.datetime | None = None
    tags: list[int] = []

    def __post_init__(self) -> None:
        if self.count == 13:
            raise ValueError("unlucky")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"count": 0}', ">= 1"),
        (b'{"count": 9223372036854775808}', "<= 9223372036854775807"),
        (b'{"count": 1, "tags": [-9223372036854775809]}', ">= -9223372036854775808"),
        (b'{"count": 13}', "unlucky"),
        (b'{"count": 1, "other": 2}', "unknown field `other`"),
        (b'{"count": 1, "at": "2013-01-01T00:00:00"}', "timezone"),
        (b'{"count": 1.0}', "Expected `int`, got `float`"),
        (b'{"count": true}', "Expected `int`, got `bool`"),
        (b'{"count": "1"}', "Expected `int`, got `str`"),
        (b"{}", "missing required field `count`"),
    ],
)
def test_a_strict_record_refuses_what_cannot_be_stored(text: bytes, reason: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=reason):
        msgspec.json.decode(text, type=build_record(Checked))


def test_a_strict_record_keeps_its_defaults() -> None:
    row = msgspec.json.decode(b'{"count": 1}', type=build_record(Checked))
    assert msgspec.structs.astuple(row) == (1, None, [])


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        (("x", "a\\u0000b"), ".aName", "u0000"),
        (("q", "\\u0000"), ".tags[1]", "u0000"),
        (("12.50", "0.0000000000001"), ".priceEur", "decimal"),
        (("12.50", "1e30"), ".priceEur", "decimal"),
        (("2013-01-01T05:00:00.000001+02:00", "0001-01-01T00:00:00+05:00"), ".sentAt", "years 1 to 9999"),
        (("2013-01-01T05:00:00.000001+02:00", "9999-12-31T23:00:00-05:00"), ".sentAt", "years 1 to 9999"),
    ],
)
def test_a_value_that_cannot_be_stored_is_found(change: tuple[str, str], path: str, reason: str) -> None:
    columns = Columns("r", build_record(Everything))
    text = JSON.replace(f'"{change[0]}"'.encode(), f'"{change[1]}"'.encode())
    row = msgspec.json.decode(text, type=columns.record)
    found = columns.find_unstorable(row)
    if path == ".sentAt":
        with pytest.raises(UnstorableTimeError):
            columns.make_chunk([row])
    else:
        assert columns.has_decimals or may_be_unstorable(text, has_raw=True)
    assert found is not None
    assert found[0] == path
    assert reason in found[1]


class Leg(Struct):
    at: dt.datetime
    stops: list[str | None] | None = None


class Trip(Struct):
    first: Leg | None
    legs: list[Leg | None] | None
    grid: list[list[dt.date]]


LEGS = st.none() | st.builds(
    Leg,
    at=st.datetimes(timezones=st.just(dt.UTC)),
    stops=st.none()
    | st.lists(st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3)),
)


@settings(max_examples=30)
@given(
    st.lists(
        st.builds(
            Trip,
            first=LEGS,
            legs=st.none() | st.lists(LEGS, max_size=3),
            grid=st.lists(st.lists(st.dates(), max_size=2), max_size=2),
        ),
        max_size=5,
    )
)
def test_nested_values_arrive_as_structs_and_lists(trips: list[Trip]) -> None:
    columns = Columns("r", build_record(Trip))
    rows: list[Struct] = msgspec.json.decode(msgspec.json.encode(trips), type=list[columns.record])  # type: ignore[name-defined]
    frame = columns.join([columns.make_chunk(rows)])
    assert frame.to_dicts() == [
        msgspec.to_builtins(trip, builtin_types=(dt.datetime, dt.date)) for trip in trips
    ]
