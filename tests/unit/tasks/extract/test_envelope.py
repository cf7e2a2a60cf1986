import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.extract.cutting import cut_records
from tasks.extract.envelope import Envelope

ENVELOPE = Envelope("data", {"total_pages": "pages"})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def read_records(envelope: Envelope, body: bytes) -> list[Any]:
    records = envelope.open(body)[0]
    if isinstance(records, msgspec.Raw):
        return list(json.loads(bytes(records)))
    return [json.loads(record) for record in records]


def test_paths_with_dots_reach_into_the_body() -> None:
    envelope = Envelope("result.items", {"total_pages": "result.meta.last-page", "total_records": "count"})
    body = b'{"count": 7, "result": {"items": [1], "meta": {"last-page": 2}}, "more": {}}'
    assert envelope.open(body)[1] == {"total_pages": 2, "total_records": 7}
    assert read_records(envelope, body) == [1]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "truncated"),
        (b"<html>", "invalid character"),
        (b'{"data": [1, 2', "truncated"),
        (b'{"data": [1], "pages": 1}}', "trailing characters"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"data": []}', "missing required field `pages`"),
        (b'{"data": [], "pages": "1"}', r"Expected `int`, got `str` - at `\$.pages`"),
        (b'{"data": [], "pages": -1}', ">= 0"),
        (b'{"data": null, "pages": 1}', r"`\$.data` is not a list"),
        (b'{"data": {}, "pages": 1}', "is not a list"),
        (b'{"data": [NaN], "pages": "1"}', "Expected `int`"),
        (b'{"more": ' + b"[" * 3000 + b"]" * 3000 + b', "data": [1], "pages": 1}', "recursion"),
    ],
)
def test_what_is_no_page_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ENVELOPE.open(body)


@pytest.mark.parametrize(
    "bad",
    [
        b"NaN",
        b'{"a": "\\ud800"}',
        b'{"a": ' + b"[" * 3000 + b"]" * 3000 + b"}",
        b"01",
        b'{"a": "x\ty"}',
        b"1,,2",
    ],
)
def test_a_bad_record_leaves_the_others_readable(bad: bytes) -> None:
    body = b'{"pages": 1, "data": [ {"a": "[,"} , ' + bad + b' , {"b": {"data": [1, 2]}} ], "x": [1]}'
    records, facts, _ = ENVELOPE.open(body)
    assert isinstance(records, list)
    assert (records[0], records[-1]) == (b'{"a": "[,"}', b'{"b": {"data": [1, 2]}}')
    assert b",".join(records[1:-1]) == bad
    assert facts == {"total_pages": 1}


@given(st.lists(JSON), JSON, st.sampled_from([["data"], ["result", "data"]]), st.booleans())
def test_cut_records_are_the_records(
    records: list[Any], other: Any, path: list[str], ensure_ascii: bool
) -> None:
    body: dict[str, Any] = {"data": records}
    for key in reversed(path[:-1]):
        body = {key: body}
    text = json.dumps({"other": other, **body, "last": [other]}, ensure_ascii=ensure_ascii)
    cut, rest = cut_records(text.encode("utf-8", "surrogatepass"), path, ValueError("no list"))
    assert [json.loads(record) for record in cut] == records
    assert json.loads(rest)["other"] == other


def test_pages_with_the_same_records_have_the_same_fingerprint() -> None:
    first = ENVELOPE.open(b'{"data": [1, 2], "pages": 3, "page": 1}')[2]
    again = ENVELOPE.open(b'{"data": [1, 2], "pages": 3, "page": 2}')[2]
    other = ENVELOPE.open(b'{"data": [1, 3], "pages": 3, "page": 3}')[2]
    assert first == again != other


def test_a_page_without_records_has_no_fingerprint() -> None:
    assert ENVELOPE.open(b'{"data": [], "pages": 0}')[2] == 0
