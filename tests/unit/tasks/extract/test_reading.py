from typing import Any

import msgspec
import pytest
from msgspec import Raw

from tasks.extract.reading import BodyReader, Fact, Scalar
from tasks.pipeline.paths import parse_path, show_path


def maybe(path: str) -> Fact:
    return Fact(path, Scalar, required=False)


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("", ()),
        ("$", ()),
        ("data", ("data",)),
        ("$.a.b[1].c", ("a", "b", 1, "c")),
        ('["@odata.nextLink"]', ("@odata.nextLink",)),
        ("a['b.c']", ("a", "b.c")),
        ("[1]", (1,)),
        ("last-page", ("last-page",)),
    ],
)
def test_a_path_is_keys_and_indexes(path: str, steps: tuple[str | int, ...]) -> None:
    assert parse_path(path) == steps
    assert parse_path(show_path(steps)) == steps or any("." in str(step) for step in steps)


@pytest.mark.parametrize("path", ["a..b", "[x]", "a[", "a.", ".", '[""]', "a[-1]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        parse_path(path)


@pytest.mark.parametrize(
    ("fact", "body", "value"),
    [
        (Fact("a.b"), {"a": {"b": 3}, "more": []}, 3),
        (Fact("[0].total"), [{"total": 5}, []], 5),
        (Fact("a[1][0].b"), {"a": [0, [{"b": 7}]]}, 7),
        (maybe("paging.next.after"), {"paging": {"next": {"after": "x"}}}, "x"),
        (maybe("paging.next.after"), {"paging": {"next": None}}, None),
        (maybe("paging.next.after"), {"paging": None}, None),
        (maybe("paging.next.after"), {}, None),
        (maybe("a[2].b"), {"a": [1]}, None),
        (maybe("a[0].b"), {"a": None}, None),
        (maybe("more"), {"more": True}, True),
    ],
)
def test_a_value_is_read_by_its_path(fact: Fact, body: Any, value: Any) -> None:
    reader = BodyReader({"it": fact, "whole": Fact("", Raw)})
    assert BodyReader({"it": fact}).read(msgspec.json.encode(body)) == {"it": value}
    assert reader.read(msgspec.json.encode(body))["it"] == value


@pytest.mark.parametrize(
    ("fact", "body"),
    [
        (Fact("a.b"), {"a": {}}),
        (Fact("a.b"), {"a": {"b": "3"}}),
        (Fact("a.b"), {"a": {"b": -1}}),
        (Fact("[1].b"), [{"b": 1}]),
        (Fact("[0].b"), {"b": 1}),
        (maybe("a.b"), {"a": "text"}),
        (maybe("a.b"), {"a": {"b": [1]}}),
    ],
)
def test_a_value_that_is_missing_or_of_another_kind_makes_no_page(fact: Fact, body: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        BodyReader({"it": fact}).read(msgspec.json.encode(body))
