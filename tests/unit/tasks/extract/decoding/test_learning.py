import os
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.errors import ConfigurationError
from tasks.extract.decoding import learning
from tasks.extract.decoding.exact import rounds
from tasks.pipeline import Resource
from tasks.schema import Kind
from tests.unit.tasks.extract.decoding.pages import decode_pages

THINGS = Resource(name="things", path="/things")
EXAMPLES = int(os.environ.get("ASSAY_EXAMPLES", "20"))
TEXT, TIME = pl.String(), pl.Datetime("us", "UTC")


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1, None, -(2**63), 2**63 - 1], pl.Int64()),
        ([1, 2.5, 2**53], pl.Float64()),
        ([1.5, 2**53 + 1], pl.Decimal(38, 12)),
        ([1.5, 2**64], pl.Decimal(38, 12)),
        ([1, 2**63], pl.Decimal(38, 0)),
        ([-(2**63) - 1], pl.Decimal(38, 0)),
        ([1, 10**38], TEXT),
        ([b'{"v": 0.1000000000000000001}', 0.5], TEXT),
        ([b'{"v": 1234567890123456.789}', 0.5], pl.Decimal(38, 12)),
        ([b'{"v": 1e-400}'], TEXT),
        ([True, None], pl.Boolean()),
        ([True, 1], TEXT),
        (["a", 1], TEXT),
        (["2013-01-01T05:00:00Z", "2013-01-01 05:00:00.5+02:00", None], TIME),
        (["2013-01-01T05:00:00"], pl.Datetime("us")),
        (["2013-01-01", "2013-12-31"], pl.Date()),
        (["2013-01-01", "2013-13-01"], TEXT),
        (["2013-01-01", "2013-01-01T05:00:00Z"], TEXT),
        (["2013-01-01T05:00:00Z", "2013-01-01T05:00:00"], TEXT),
        (["2013-01-01T05:00:00Z", ""], TEXT),
        (["2013-01-01T05:00:00.1234567Z"], TEXT),
        (["2013-01-01T05:00:00.1234560Z"], TIME),
        (["Tue, 01 Jan 2013 05:00:00 +0000"], TEXT),
        ([1357016400000], pl.Int64()),
        ([[1], [], None], pl.List(pl.Int64())),
        ([[1], ["a"]], pl.List(TEXT)),
        ([[1], 1], TEXT),
        ([{"x": 1}, {"y": "b"}, None], pl.Struct({"x": pl.Int64(), "y": TEXT})),
        ([[{"x": [0.5]}]], pl.List(pl.Struct({"x": pl.List(pl.Float64())}))),
        ([{"x": 1}, "a"], TEXT),
        ([{'a"b': 1}], TEXT),
    ],
    ids=str,
)
def test_column_is_of_the_narrowest_type_that_holds_all_values(values: list[Any], dtype: pl.DataType) -> None:
    records = [value if isinstance(value, bytes) else {"v": value} for value in values]
    for pages in ([records], [[record] for record in records]):
        outcome = decode_pages(THINGS, pages)
        assert outcome.frame.schema == {"v": dtype}
        assert outcome.rejected == []


def test_values_of_several_kinds_are_kept_as_json_text() -> None:
    outcome = decode_pages(THINGS, [[{"v": 1}, {"v": "1"}, {"v": None}, b'{"v": {"a": 1.0}}']])
    assert outcome.frame["v"].to_list() == ["1", '"1"', None, '{"a": 1.0}']


@pytest.mark.parametrize("empty", [None, [], {}, [None], [[]], {"a": None}, {"a": [{}]}], ids=str)
def test_field_that_was_always_empty_is_no_column_until_it_has_a_value(
    empty: Any, caplog: pytest.LogCaptureFixture
) -> None:
    first = decode_pages(THINGS, [[{"id": 1, "v": empty}]])
    assert first.frame.columns == ["id"]
    assert any("1 fields are null or empty in all 1 records" in message for message in caplog.messages)
    again = decode_pages(THINGS, [[{"id": 1, "v": empty}]], first.learned)
    assert again.learned is None


def test_field_gets_its_kind_with_its_first_value() -> None:
    first = decode_pages(THINGS, [[{"id": 1, "v": None}]])
    second = decode_pages(THINGS, [[{"id": 1, "v": None}, {"id": 2}], [{"id": 3, "v": 7}]], first.learned)
    assert second.frame["v"].to_list() == [None, None, 7]
    third = decode_pages(THINGS, [[{"id": 4, "v": "a"}, {"id": 5, "v": 8}]], second.learned)
    assert third.frame["v"].to_list() == [8]
    assert [each["message"] for each in third.rejected] == ["Expected `int | null`, got `str`"]


def test_object_with_data_for_keys_is_kept_as_json_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "MAX_FIELDS", 3)
    outcome = decode_pages(THINGS, [[{"v": {f"id-{number}": 1}} for number in range(5)]])
    assert outcome.frame["v"][4] == '{"id-4": 1}'


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(
        ConfigurationError, match="things: there is nothing to learn a schema from: 0 records"
    ):
        decode_pages(THINGS, [[]])


def test_records_that_are_no_objects_are_rejected_and_teach_nothing() -> None:
    outcome = decode_pages(THINGS, [[{"v": 1}, 3, b'{"v": NaN}', "x"]])
    assert outcome.frame.to_dicts() == [{"v": 1}]
    assert [each["message"].split(",")[0] for each in outcome.rejected] == [
        "Expected `object`",
        "Not valid JSON: NaN is no JSON number",
        "Expected `object`",
    ]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "2013-01-01", "2013-01-01T05:00:00Z", "2013-01-01T05:00:00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.lists(st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4), min_size=1, max_size=6)


@settings(max_examples=EXAMPLES)
@given(RECORDS)
def test_all_records_that_a_schema_was_learned_from_fit_it(records: list[dict[str, Any]]) -> None:
    records.append({"id": 1})
    outcome = decode_pages(THINGS, [records])
    assert outcome.rejected == []
    assert outcome.learned is not None
    # Whatever the pages, the schema is the same; and the ledger's copy is the schema.
    assert decode_pages(THINGS, [[record] for record in records]).learned == outcome.learned
    again = decode_pages(THINGS, [records], json_copy(outcome.learned))
    assert again.learned is None
    assert again.frame.equals(outcome.frame)


@settings(max_examples=EXAMPLES)
@given(RECORDS, RECORDS)
def test_schema_that_grows_keeps_what_it_had(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    known = decode_pages(THINGS, [[*first, {"id": 1}]])
    grown = decode_pages(THINGS, [second], known.learned)
    kept = {name: grown.frame.schema[name] for name in known.frame.columns}
    assert {
        name: is_extended(before, kept[name]) for name, before in known.frame.schema.items()
    } == dict.fromkeys(kept, True)


def is_extended(before: pl.DataType, after: Any) -> bool:
    """The same type, or with further fields somewhere inside."""
    if isinstance(before, pl.List):
        return isinstance(after, pl.List) and is_extended(before.inner, after.inner)  # type: ignore[arg-type]
    if isinstance(before, pl.Struct):
        fields = {field.name: field.dtype for field in after.fields}
        return all(is_extended(field.dtype, fields[field.name]) for field in before.fields)  # type: ignore[arg-type]
    return bool(before == after)


def json_copy(kind: Kind) -> Kind:
    return msgspec.json.decode(msgspec.json.encode(kind), type=Kind)


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(5.960464477539063e-08)  # a tie, between ...062 and ...063
def test_every_float_that_a_language_prints_is_kept(number: float) -> None:
    assert not rounds(repr(number))
    assert not rounds(f"{number:.17g}")
    assert not rounds(format(Decimal(number), "f"))


@given(st.integers())
@example(10**23)
def test_integer_rounds_when_no_double_equals_it(number: int) -> None:
    assert rounds(str(number)) == (abs(number) > 2**53 and int(float(number)) != number)
