"""The table of docs/decoding.md: what becomes of every odd value."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tasks.pipeline import CutToMicroseconds, EpochMilliseconds, EpochSeconds, Resource, Rfc2822
from tests.unit.tasks.extract.decoding.pages import decode_pages

NOON = dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC)
LOCAL = Annotated[dt.datetime, Meta(tz=False)]


class Inner(Struct):
    x: int
    at: dt.datetime | None = None


def resource_of(kind: Any, **more: Any) -> Resource:
    record = msgspec.defstruct("Record", [("v", kind)])
    return Resource(name="odd", path="/odd", record=record, **more)


FITS: list[tuple[Any, bytes, Any]] = [
    (int, b"9223372036854775807", 2**63 - 1),
    (int, b"-9223372036854775808", -(2**63)),
    (int, b"-0", 0),
    (float, b"1", 1.0),
    (float, b"9007199254740992", 2.0**53),
    (float, b"18446744073709551616", 2.0**64),
    (float, b"0.1", 0.1),
    (float, b"0.10000000000000001", 0.1),
    (float, b"0.1000000000000000055511151231257827021181583404541015625", 0.1),
    (float, b"1e300", 1e300),
    (float, b"5e-324", 5e-324),
    (Decimal, b"12.50", Decimal("12.5")),
    (Decimal, b'"12.50"', Decimal("12.5")),
    (Decimal, b"12.5000000000000000", Decimal("12.5")),
    (Decimal, b"9007199254740993", Decimal(9007199254740993)),
    (Decimal, b"0.1000000000001e1", Decimal("1.000000000001")),
    (Annotated[Decimal, Meta(extra={"scale": 30})], b"12345678.5", Decimal("12345678.5")),
    (str, b'"\\\\u0000"', "\\u0000"),
    (str, b'"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
    (str, b'""', ""),
    (dt.datetime, b'"2013-01-01T12:00:00Z"', NOON),
    (dt.datetime, b'"2013-01-01 12:00:00Z"', NOON),
    (dt.datetime, b'"2013-01-01T14:00:00+02:00"', NOON),
    (dt.datetime, b'"2013-01-01T14:00:00+0200"', NOON),
    (dt.datetime, b'"2013-01-01T12:00:00.000000000Z"', NOON),
    (LOCAL, b'"2013-01-01T12:00:00"', NOON.replace(tzinfo=None)),
    (dt.date, b'"2013-01-01"', dt.date(2013, 1, 1)),
    (dt.time, b'"12:00:00"', dt.time(12)),
    (EpochSeconds, b"1357041600", NOON),
    (EpochSeconds, b"1357041600.000001", NOON.replace(microsecond=1)),
    (EpochMilliseconds, b"1357041600000", NOON),
    (EpochMilliseconds, b"-1", dt.datetime(1969, 12, 31, 23, 59, 59, 999000, dt.UTC)),
    (Rfc2822, b'"Tue, 01 Jan 2013 13:00:00 +0100"', NOON),
    (CutToMicroseconds, b'"2013-01-01T12:00:00.0000019Z"', NOON.replace(microsecond=1)),
    (Raw, b'{"a": [1.0, 9007199254740993]}', '{"a": [1.0, 9007199254740993]}'),
    (Raw, b"null", None),
    (list[int], b"[1, 2]", [1, 2]),
    (list[int | None] | None, b"[1, null]", [1, None]),
    (Inner, b'{"x": 1}', {"x": 1, "at": None}),
    (Inner | None, b"null", None),
    (list[Inner | None], b'[{"x": 1}, null]', [{"x": 1, "at": None}, None]),
    (list[list[dt.datetime]], b'[[], ["2013-01-01T12:00:00Z"]]', [[], [NOON]]),
    (int | None, b"null", None),
    (int | UnsetType | None, b"null", None),
]
ROUND = "Expected a number that `float` holds exactly, got {}, which it would round"
WIDE = "Expected a decimal of up to 26 digits before and 12 after the point, got {}"
FAR = "A time that is outside the years 1 to 9999 in UTC"
REJECTED: list[tuple[Any, bytes, str, str]] = [
    (int, b"9223372036854775808", ".v", "Expected `int` <= 9223372036854775807"),
    (int, b"1" * 400, ".v", "Expected `int` <= 9223372036854775807"),
    (int, b"1.0", ".v", "Expected `int`, got `float`"),
    (int, b"1e3", ".v", "Expected `int`, got `float`"),
    (int, b"true", ".v", "Expected `int`, got `bool`"),
    (int, b'"1"', ".v", "Expected `int`, got `str`"),
    (int, b"null", ".v", "Expected `int`, got `null`"),
    (int | UnsetType, b"null", ".v", "Expected `int`, got `null`"),
    (float, b"9007199254740993", ".v", ROUND.format("9007199254740993")),
    (float, b"0.1000000000000000001", ".v", ROUND.format("0.1000000000000000001")),
    (float, b"1e-400", ".v", ROUND.format("1e-400")),
    (float, b"1e999", ".v", "Number out of range"),
    (float, b"NaN", "", "Not valid JSON: NaN is no JSON number"),
    (float, b"-Infinity", "", "Not valid JSON: -Infinity is no JSON number"),
    (float, b'"1.5"', ".v", "Expected `float`, got `str`"),
    (list[float], b"[1, 9007199254740993]", ".v[1]", ROUND.format("9007199254740993")),
    (Decimal, b'"0.0000000000001"', ".v", WIDE.format("1E-13")),
    (Decimal, b"1e30", ".v", WIDE.format("1E+30")),
    (
        Annotated[Decimal, Meta(extra={"scale": 2})],
        b"1.005",
        ".v",
        "Expected a decimal of up to 36 digits before and 2 after the point, got 1.005",
    ),
    (Decimal, b'"NaN"', ".v", WIDE.format("NaN")),
    (Decimal, b'"12,5"', ".v", "Invalid decimal string"),
    (str, b'"a\\u0000b"', ".v", "Text with the character \\u0000, which Postgres cannot store"),
    (list[str], b'["a", "\\u0000"]', ".v[1]", "Text with the character \\u0000, which Postgres cannot store"),
    (str, b'"\\ud800"', "", "Not valid JSON: text with half of a surrogate pair"),
    (str, b'"\\udc00x"', "", "Not valid JSON: text with half of a surrogate pair"),
    (str, b'"\xff"', "", "Not valid JSON: 'utf-8' codec can't decode byte 0xff in position 0"),
    (Raw, b'"\xff"', ".v", "Not valid UTF-8: invalid start byte at byte 1"),
    (Raw, b"[" * 2000 + b"]" * 2000, "", "Nested too deeply to be read"),
    (dt.datetime, b'"2013-01-01T12:00:00"', ".v", "Expected `datetime` with a timezone component"),
    (dt.datetime, b'"2013-01-01"', ".v", "Invalid RFC3339 encoded datetime"),
    (dt.datetime, b"1357041600", ".v", "Expected `datetime`, got `int`"),
    (
        dt.datetime,
        b'"2013-01-01T12:00:00.0000001Z"',
        ".v",
        'Expected a time of at most microseconds, got "2013-01-01T12:00:00.0000001Z"',
    ),
    (dt.datetime, b'"9999-12-31T23:00:00-05:00"', ".v", FAR),
    (list[dt.datetime], b'["2013-01-01T12:00:00Z", "0001-01-01T00:00:00+05:00"]', ".v[1]", FAR),
    (Inner, b'{"x": 1, "at": "9999-12-31T23:00:00-05:00"}', ".v.at", FAR),
    (Rfc2822, b'"Fri, 31 Dec 9999 23:00:00 -0500"', ".v", FAR),
    (LOCAL, b'"2013-01-01T12:00:00Z"', ".v", "Expected `datetime` with no timezone component"),
    (dt.date, b'"2013-01-01T00:00:00Z"', ".v", "Invalid RFC3339 encoded date"),
    (dt.date, b'"01/02/2013"', ".v", "Invalid RFC3339 encoded date"),
    (EpochSeconds, b'"1357041600"', ".v", "Expected seconds since 1970, got `str`"),
    (EpochSeconds, b"1.0000001", ".v", "Expected seconds since 1970 of at most microseconds, got 1.0000001"),
    (EpochSeconds, b"1e400", ".v", "Expected seconds since 1970 in the years 1 to 9999, got 1E+400"),
    (EpochMilliseconds, b"true", ".v", "Expected milliseconds since 1970, got `bool`"),
    (Rfc2822, b'"2013-01-01"', ".v", "Expected a time as in RFC 2822, got '2013-01-01'"),
    (Rfc2822, b'"Tue, 01 Jan 2013 13:00:00 -0000"', ".v", "Expected a time with a zone"),
    (CutToMicroseconds, b'"2013-01-01"', ".v", "Invalid RFC3339 encoded datetime"),
    (Inner, b'{"x": "1"}', ".v.x", "Expected `int`, got `str`"),
    (Inner, b"{}", ".v", "Object missing required field `x`"),
    (list[Inner], b'[{"x": 1}, {"x": null}]', ".v[1].x", "Expected `int`, got `null`"),
]


@pytest.mark.parametrize(("kind", "value", "expected"), FITS, ids=str)
def test_value_that_fits_arrives_unchanged(kind: Any, value: bytes, expected: Any) -> None:
    outcome = decode_pages(resource_of(kind), [[b'{"v": %s}' % value]])
    assert outcome.rejected == []
    assert outcome.frame["v"].to_list() == [expected]
    assert str(outcome.frame["v"][0]) == str(expected) or kind is not float


@pytest.mark.parametrize(("kind", "value", "path", "message"), REJECTED, ids=str)
def test_value_that_does_not_fit_is_rejected_by_path_and_reason(
    kind: Any, value: bytes, path: str, message: str
) -> None:
    record = b'{"v": %s}' % value
    (rejected,) = decode_pages(resource_of(kind), [[record]]).rejected
    assert (rejected["path"], rejected["page"], rejected["index"]) == (f"$.data[0]{path}", 1, 0)
    assert rejected["message"].startswith(message)
    assert rejected["record"] == record.decode("utf-8", "backslashreplace")


class Optional(Struct):
    required: int | None
    defaulted: int | None = None
    either: int | UnsetType = UNSET
    any_of: int | UnsetType | None = UNSET


def test_missing_key_is_null_only_where_the_field_has_a_default() -> None:
    resource = Resource(name="r", path="/r", record=Optional)
    outcome = decode_pages(resource, [[{"required": None}, {}]])
    assert outcome.frame.to_dicts() == [{"required": None, "defaulted": None, "either": None, "any_of": None}]
    assert outcome.rejected[0]["message"] == "Object missing required field `required`"


@pytest.mark.parametrize("columns", ["evolve", "freeze", "discard"])
def test_record_with_a_key_that_no_field_can_have_is_rejected(columns: str) -> None:
    outcome = decode_pages(resource_of(int, columns=columns), [[b'{"v": 1, "a\\"b": 2}', b'{"v": 2}']])
    assert outcome.frame["v"].to_list() == [2]
    assert outcome.rejected[0]["message"].startswith("Object contains unknown field")


def test_last_of_duplicate_keys_counts() -> None:
    assert decode_pages(resource_of(int), [[b'{"v": 1, "v": 2}']]).frame["v"].to_list() == [2]


def test_nul_is_removed_where_the_resource_says_so(caplog: pytest.LogCaptureFixture) -> None:
    pages = [[b'{"v": "a\\u0000b"}', b'{"v": "\\\\u0000"}', {"v": "c"}]]
    assert decode_pages(resource_of(str, nul="remove"), pages).frame["v"].to_list() == ["ab", "\\u0000", "c"]
    assert "odd: the character U+0000 removed from 1 records, as nul='remove' says." in caplog.messages


def test_byte_order_mark_before_a_body_is_no_part_of_it() -> None:
    from tasks.extract.envelope import Envelope  # noqa: PLC0415

    records, _, _ = Envelope("data", {}).open(b'\xef\xbb\xbf{"data": [1]}')
    assert bytes(records) == b"[1]" if not isinstance(records, list) else records == [b"1"]
