"""JSON and text as Postgres can hold them."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.load.jsonb import storable_json, storable_json_text, storable_text

TEXTS = st.text(st.sampled_from('\\u0"\x00a\n{'), max_size=12)


def dumped(value: Any) -> Any:
    return json.loads(value.dumps(value.obj))


@given(text=TEXTS)
def test_json_keeps_all_but_nul_which_becomes_its_escape(text: str) -> None:
    expected = text.replace("\x00", "\\u0000")
    assert dumped(storable_json({"a": [text]})) == {"a": [expected]}
    assert dumped(storable_json_text(json.dumps({"a": [text]}))) == {"a": [expected]}
    assert storable_text(text) == expected


def test_half_a_pair_of_surrogates_is_written_out() -> None:
    assert storable_text("a\ud800") == "a\\ud800"
