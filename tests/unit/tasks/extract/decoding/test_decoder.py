import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.extract.decoding.decoder import RecordDecoder, Rejected
from tests.unit.tasks.extract.decoding.pages import make_answer
from tests.unit.tasks.extract.fake_api import FLIGHTS, make_flight


def decode(*records: bytes) -> tuple[list[Any], list[Rejected]]:
    page = RecordDecoder(FLIGHTS).decode(make_answer(*records, number=7))
    return [msgspec.structs.astuple(row)[0] for row in page.rows], page.rejected


def text_of(number: int, **changes: Any) -> bytes:
    return json.dumps(make_flight(number, **changes)).encode()


GOOD = text_of(1)


@pytest.mark.parametrize(
    ("record", "path", "message"),
    [
        (text_of(2, dep_delay="late"), "$.data[1].dep_delay", "Expected `float | null`, got `str`"),
        (text_of(2, carrier=None), "$.data[1].carrier", "Expected `str`, got `null`"),
        (b'{"id": 1}', "$.data[1]", "Object missing required field `carrier`"),
        (b"3", "$.data[1]", "Expected `object`, got `int`"),
        (b"null", "$.data[1]", "Expected `object`, got `null`"),
        (text_of(2, id=2**63), "$.data[1].id", "Expected `int` <= 9223372036854775807"),
        (text_of(2, carrier="a\0b"), "$.data[1].carrier", "Text with the character \\u0000"),
        (text_of(2, carrier="\ud800"), "$.data[1]", "Not valid JSON"),
        (text_of(2, dep_delay=float("nan")), "$.data[1]", "Not valid JSON"),
        (GOOD.replace(b"0.25", b"1e999"), "$.data[1].dep_delay", "Number out of range"),
        (GOOD.replace(b"UA", b"\xff"), "$.data[1]", "Not valid JSON"),
        (GOOD.replace(b"UA", b"\x00"), "$.data[1]", "Not valid JSON"),
        (GOOD[:-1] + b', "deep": ' + b"[" * 2000 + b"]" * 2000 + b"}", "$.data[1]", "Nested too deeply"),
    ],
)
def test_a_record_that_does_not_fit_is_rejected_alone(record: bytes, path: str, message: str) -> None:
    ids, (rejected,) = decode(GOOD, record, text_of(3))
    assert ids == [1, 3]
    assert (rejected.page, rejected.index, rejected.path) == (7, 1, path)
    assert rejected.message.startswith(message)
    assert rejected.record == record.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


@given(st.lists(st.sampled_from(["good", "text", "missing", "nul", "nan", "surrogate", "huge"])))
def test_received_is_decoded_plus_rejected(kinds: list[str]) -> None:
    bad = {
        "text": text_of(2, dep_delay="late"),
        "missing": b"{}",
        "nul": text_of(2, carrier="\0"),
        "nan": text_of(2, dep_delay=float("nan")),
        "surrogate": text_of(2, carrier="\udc00"),
        "huge": text_of(2, id=2**64),
    }
    ids, rejected = decode(*(bad.get(kind, GOOD) for kind in kinds))
    assert len(ids) == kinds.count("good")
    assert [each.index for each in rejected] == [n for n, kind in enumerate(kinds) if kind != "good"]
