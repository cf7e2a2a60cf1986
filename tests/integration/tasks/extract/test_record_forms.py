"""Bodies in the forms that APIs document, each arriving as rows, the same ones when replayed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from tasks.errors import ConfigurationError, FatalError, RetriableError
from tasks.pipeline import (
    BodyError,
    ColumnArrays,
    CsvBody,
    GeoJsonFeatures,
    KeyedRecords,
    NdjsonBody,
    PageNumber,
    RecordList,
    Resource,
    RowArrays,
    SinglePage,
    SingleRecord,
)
from tests.integration.tasks.extract.serving import extract, read_rows, serving


class Rate(Struct):
    day: str
    currency: str
    rate: float
    base: str | None = None


class Hour(Struct):
    time: str
    temp: float | None
    lat: float


class Quake(Struct):
    id: str
    mag: float | None
    longitude: float | None
    latitude: float | None
    elevation: float | None


class Person(Struct):
    name: str
    age: int | None
    is_new: bool | None = None


RATES = {
    "base": "EUR",
    "rates": {"2024-01-02": {"USD": 1.0956, "JPY": 155.68}, "2024-01-03": {"USD": 1.0919}},
}
WEATHER = {"latitude": 52.52, "hourly": {"time": ["00:00", "01:00"], "temp": [3.5, None]}}
QUAKES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": "us1",
            "properties": {"mag": 4.5},
            "geometry": {"type": "Point", "coordinates": [1.5, 2.5, 10]},
        },
        {"type": "Feature", "id": "us2", "properties": {"mag": None}, "geometry": None},
    ],
}
ANN, BOB = {"name": "Ann", "age": 40, "is_new": None}, {"name": "Bob", "age": None, "is_new": True}


def select_adults(body: bytes) -> Iterator[dict[str, Any]]:
    for name, age in json.loads(body)["ages"]:
        if age >= 18:
            yield {"name": name, "age": age}


FORMS: dict[str, tuple[Any, type[Struct], Any, list[dict[str, Any]]]] = {
    "a path into the body": ("result.people", Person, {"result": {"people": [ANN, BOB]}}, [ANN, BOB]),
    "a key that holds dots": ('["@x.people"]', Person, {"@x.people": [ANN]}, [ANN]),
    "an element of an array": ("[1]", Person, [{"page": 1}, [ANN, BOB]], [ANN, BOB]),
    "an array within objects": ("answers[0].people", Person, {"answers": [{"people": [ANN]}]}, [ANN]),
    "the whole body": ("", Person, [ANN, BOB], [ANN, BOB]),
    "one record": (SingleRecord(path="me"), Person, {"me": ANN}, [ANN]),
    "a list, with a value from around it": (
        RecordList(path="temps", carry={"lat": "place.latitude"}),
        Hour,
        {"place": {"latitude": 52.5}, "temps": [{"time": "00:00", "temp": 1.25}]},
        [{"time": "00:00", "temp": 1.25, "lat": 52.5}],
    ),
    "keys that are data": (
        KeyedRecords(path="people", keys=("name",)),
        Person,
        {"people": {"Ann": {"age": 40}, "Bob": {"age": None, "is_new": True}}},
        [ANN, BOB],
    ),
    "keys on two levels": (
        KeyedRecords(path="rates", keys=("day", "currency"), value="rate", carry={"base": "base"}),
        Rate,
        RATES,
        [
            {"day": "2024-01-02", "currency": "USD", "rate": 1.0956, "base": "EUR"},
            {"day": "2024-01-02", "currency": "JPY", "rate": 155.68, "base": "EUR"},
            {"day": "2024-01-03", "currency": "USD", "rate": 1.0919, "base": "EUR"},
        ],
    ),
    "arrays of columns": (
        ColumnArrays(path="hourly", carry={"lat": "latitude"}),
        Hour,
        WEATHER,
        [{"time": "00:00", "temp": 3.5, "lat": 52.52}, {"time": "01:00", "temp": None, "lat": 52.52}],
    ),
    "arrays of rows under a header": (
        RowArrays(path=""),
        Person,
        [["name", "age"], ["Ann", 40], ["Bob", None]],
        [ANN, BOB | {"is_new": None}],
    ),
    "arrays of rows with names elsewhere": (
        RowArrays(path="rows", names="fields"),
        Person,
        {"fields": ["age", "name"], "rows": [[40, "Ann"]]},
        [ANN],
    ),
    "arrays of rows with declared names": (
        RowArrays(path="rows", names=("name", "age")),
        Person,
        {"rows": [["Ann", 40]]},
        [ANN],
    ),
    "GeoJSON": (
        GeoJsonFeatures(),
        Quake,
        QUAKES,
        [
            {"id": "us1", "mag": 4.5, "longitude": 1.5, "latitude": 2.5, "elevation": 10.0},
            {"id": "us2", "mag": None, "longitude": None, "latitude": None, "elevation": None},
        ],
    ),
    "NDJSON": (
        NdjsonBody(),
        Person,
        b'{"name": "Ann", "age": 40}\n\n{"name":"Bob","age":null,"is_new":true}',
        [ANN, BOB],
    ),
    "CSV": (
        CsvBody(delimiter=";"),
        Person,
        '\ufeffage;name;is_new\r\n40;"Ann";\r\n;Bob;TRUE\r\n12;"a ""b"";\nc";false\r\n'.encode(),
        [ANN, BOB, {"name": 'a "b";\nc', "age": 12, "is_new": False}],
    ),
    "a function": (
        select_adults,
        Person,
        {"ages": [["Ann", 40], ["Tim", 3]]},
        [ANN],
    ),
}


def declare(records: Any, record: type[Struct], **declared: Any) -> Resource:
    return Resource(
        **(
            {"name": "items", "path": "/", "record": record, "records": records, "paginator": SinglePage()}
            | declared
        )
    )


def as_body(value: Any) -> bytes:
    return value if isinstance(value, bytes) else msgspec.json.encode(value)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_arrives_as_rows_and_again_when_replayed(form: str, tmp_path: Path) -> None:
    records, record, body, rows = FORMS[form]
    resource = declare(records, record)
    with serving(lambda handler, _: handler.send(as_body(body))) as (url, seen):
        assert read_rows(extract(url, tmp_path, resource)) == rows
        replayed = extract(url, tmp_path, resource, attempt=2)
    assert read_rows(replayed) == rows
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("records", "body", "said"),
    [
        (ColumnArrays(path="hourly"), {"hourly": {"time": ["0"], "temp": []}}, "not of one length: 'time' 1"),
        (RowArrays(path=""), [["name", "age"], ["Ann"]], "row 0 has 1 values for 2 names"),
        (RowArrays(path=""), [["name", "name"], ["Ann", "Ann"]], "a name stands twice"),
        (KeyedRecords(path="rates", keys=("day",)), {"rates": []}, "Expected `object`, got `array`"),
        (GeoJsonFeatures(), {"type": "FeatureCollection"}, "missing required field `features`"),
        ("[1]", [{"message": "Invalid value"}], r"`\$\[1\]` is missing"),
        ("data", {"data": {}}, r"`\$.data` is not a list"),
    ],
)
def test_a_body_of_another_form_is_no_page(tmp_path: Path, records: Any, body: Any, said: str) -> None:
    with (
        serving(lambda handler, _: handler.send(as_body(body))) as (url, _),
        pytest.raises(RetriableError, match=rf"which is not the expected page: .*{said}"),
    ):
        extract(url, tmp_path, declare(records, Person), attempts=1)


@pytest.mark.parametrize(
    ("records", "body"),
    [
        (NdjsonBody(), b'{"name": "Ann", "age": 40}\n{"name": NaN}\n{"name": "Bob", "age": "old"}\n'),
        (CsvBody(), b"name,age\r\nAnn,40\r\nTim,1,2\r\nBob,old\r\n"),
        (CsvBody(), b"name,age\r\nAnn,40\r\n,007\r\nBob,1e3x\r\n"),
        (
            KeyedRecords(path="", keys=("name",)),
            b'{"Ann": {"age": 40}, "Tim": {"age": 1.5}, "Bob": {"age": "old"}}',
        ),
    ],
)
def test_a_record_that_does_not_fit_is_rejected_and_the_others_are_not(
    tmp_path: Path, records: Any, body: bytes
) -> None:
    with serving(lambda handler, _: handler.send(body)) as (url, _):
        extracted = extract(url, tmp_path, declare(records, Person))
    assert (extracted.received, extracted.rejected_count) == (3, 2)
    assert read_rows(extracted) == [ANN]


def test_numbers_are_moved_digit_by_digit(tmp_path: Path) -> None:
    class Exact(Struct):
        day: str
        value: msgspec.Raw

    body = b'{"v": {"a": 1.00000000000000000000001, "b": 123456789012345678901234567890, "c": 1E2}}'
    with serving(lambda handler, _: handler.send(body)) as (url, _):
        form = KeyedRecords(path="v", keys=("day",), value="value")
        rows = read_rows(extract(url, tmp_path, declare(form, Exact)))
    assert [row["value"] for row in rows] == [
        "1.00000000000000000000001",
        "123456789012345678901234567890",
        "1E2",
    ]


def test_a_paginator_that_reads_a_body_without_json_is_refused(tmp_path: Path) -> None:
    resource = declare(CsvBody(), Person, paginator=PageNumber(total_pages="pages"))
    with (
        serving(lambda handler, _: handler.send(b"")) as (url, seen),
        pytest.raises(ConfigurationError, match=r"reads total_pages in the body"),
    ):
        extract(url, tmp_path, resource)
    assert seen == []


SLACK = BodyError(path="error", retriable=("ratelimited", "internal_error"))
CODED = BodyError(path="code", message="msg", fine=(0, 200), retriable=("busy",))
GRAPHQL = BodyError(path="errors", message="errors[0].message", retriable=("timeout",))
PAGE = {"data": [ANN]}


@pytest.mark.parametrize(
    ("error", "body"),
    [
        (SLACK, {"ok": False, "error": "ratelimited"}),
        (CODED, {"code": 500, "msg": "Server busy"}),
        (GRAPHQL, {"data": None, "errors": [{"message": "Timeout in resolver"}]}),
    ],
)
def test_an_error_in_a_success_that_passes_is_asked_again(
    tmp_path: Path, error: BodyError, body: Any
) -> None:
    fine = PAGE | ({"code": 0} if error is CODED else {"ok": True})
    with serving(lambda handler, asked: handler.send_json(body if asked < 3 else fine)) as (url, seen):
        assert read_rows(extract(url, tmp_path, declare("data", Person), error=error)) == [ANN]
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("error", "body", "said"),
    [
        (SLACK, {"ok": False, "error": "invalid_auth"}, "reported an error: invalid_auth"),
        (CODED, PAGE | {"code": 40003, "msg": "no such field"}, "reported an error: no such field"),
        (GRAPHQL, PAGE | {"errors": [{"message": "Field 'x' is unknown"}]}, "Field 'x' is unknown"),
        (GRAPHQL, {"errors": [{"code": 7}]}, r'reported an error: \[\{"code":7\}\]'),
    ],
)
def test_an_error_in_a_success_that_stays_fails_at_once(
    tmp_path: Path, error: BodyError, body: Any, said: str
) -> None:
    with (
        serving(lambda handler, _: handler.send_json(body)) as (url, seen),
        pytest.raises(FatalError, match=said),
    ):
        extract(url, tmp_path, declare("data", Person), error=error)
    assert len(seen) == 1
