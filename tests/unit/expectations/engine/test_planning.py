"""Ids of metrics: remembered within a validation, and those that GX makes."""

import datetime as dt
from typing import Any

import pytest
from great_expectations.core.id_dict import BatchKwargs, IDDict
from hypothesis import given
from hypothesis import strategies as st

from expectations.engine.planning import _make_id, ids_remembered

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=3)
VALUES = st.recursive(
    PLAIN | st.dates() | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3), max_size=6))
def test_a_remembered_id_is_the_one_that_gx_makes(arguments: list[dict[str, Any]]) -> None:
    with ids_remembered():
        for each in [*arguments, *arguments]:
            assert IDDict(each).to_id() == _make_id(IDDict(each))


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (1, 1.0), (0.0, -0.0), ([1], [True]), ({"x": 0}, {"x": False}), ("1", 1)]
)
def test_what_is_equal_in_python_and_not_in_json_has_ids_of_its_own(one: Any, other: Any) -> None:
    with ids_remembered():
        assert IDDict(a=one, b=None).to_id() != IDDict(a=other, b=None).to_id()


def test_what_has_no_form_in_json_and_keys_that_count_for_nothing_are_left_to_gx() -> None:
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with ids_remembered():
        for arguments in (IDDict(a=moment, b=1), BatchKwargs(a=1, ge_batch_id="x"), IDDict(a=1), IDDict()):
            assert arguments.to_id() == _make_id(arguments)
        assert IDDict(a=1, b=2).to_id(id_keys=["a"]) == "a=1"
