"""Whole extractions: what is learned, taken in, refused or left out, and that pages are decoded by it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tasks.errors import ConfigurationError, RetriableError
from tasks.extract.decoding import decoder, records
from tasks.extract.decoding.columns import Columns
from tasks.extract.extract import extract_resource
from tasks.extract.landing import zone
from tasks.handover import Extracted
from tasks.schema import Kind, LearnedSchema
from tests.unit.tasks.extract.decoding.pages import decode_pages
from tests.unit.tasks.extract.fake_api import FLIGHTS, NOW, FakeApi, Reply, make_flight, make_load, serve

LEARNING = FLIGHTS.model_copy(update={"record": None})
PAGES = [[make_flight(10 * page + n, gate=None) for n in range(3)] for page in range(5)]


def extract(api: FakeApi, folder: Path, learned: Kind | None = None, attempt: int = 1) -> Extracted:
    load = make_load(folder, attempt=attempt)
    if learned:
        load = msgspec.structs.replace(load, schemas={"flights": LearnedSchema(1, learned)})
    return extract_resource(api, LEARNING, load, now=lambda: NOW)


def read_rows(extracted: Extracted) -> pl.DataFrame:
    return pl.read_parquet(f"{extracted.frames}/*.parquet", glob=True)


def test_undeclared_resource_is_read_as_if_it_had_been_declared(tmp_path: Path) -> None:
    learned = extract(FakeApi(serve(PAGES)), tmp_path / "a")
    pages = [
        [{key: value for key, value in each.items() if key != "gate"} for each in page] for page in PAGES
    ]
    load = make_load(tmp_path / "b")
    declared = extract_resource(FakeApi(serve(pages)), FLIGHTS, load, now=lambda: NOW)
    assert_frame_equal(read_rows(learned), read_rows(declared))
    assert learned.greatest_cursor == declared.greatest_cursor
    assert (learned.received, learned.decoded, learned.pages) == (15, 15, 5)
    again = extract(FakeApi(serve(PAGES)), tmp_path / "c", learned.learned)
    assert again.learned is None
    assert_frame_equal(read_rows(again), read_rows(learned))


def test_interrupted_extraction_learns_from_what_it_resumes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zone, "SEGMENT_BYTES", 1)
    whole = extract(FakeApi(serve(PAGES)), tmp_path / "whole")
    answer = serve(PAGES)
    broken = FakeApi(lambda page, earlier: Reply(b"", 500) if page >= 4 else answer(page, earlier))
    with pytest.raises(RetriableError):
        extract(broken, tmp_path / "broken")
    resumed = extract(FakeApi(answer), tmp_path / "broken", attempt=2)
    assert resumed.resumed_pages > 0
    assert resumed.learned == whole.learned
    assert_frame_equal(read_rows(resumed), read_rows(whole))


def test_column_that_changes_its_type_makes_no_second_column(tmp_path: Path) -> None:
    learned = extract(FakeApi(serve(PAGES)), tmp_path / "a").learned
    changed = [*PAGES[:4], [make_flight(90 + n, dep_delay="12 min") for n in range(3)]]
    later = extract(FakeApi(serve(changed)), tmp_path / "b", learned)
    assert read_rows(later).columns == ["id", "carrier", "dep_delay", "updated_at"]
    assert (later.decoded, later.rejected_count, later.learned) == (12, 3, None)
    assert later.rejected is not None
    first = pl.read_parquet(later.rejected).row(0, named=True)
    assert (first["path"], first["message"]) == (
        "$.data[0].dep_delay",
        "Expected `float | null`, got `str`",
    )


NEW = [
    [make_flight(1)],
    [make_flight(2, gate="B7", leg={"x": 1}), make_flight(3, gate=None)],
    [make_flight(4)],
]


def test_evolve_takes_new_fields_in() -> None:
    outcome = decode_pages(FLIGHTS, NEW)
    assert outcome.frame["gate"].to_list() == [None, "B7", None, None]
    assert outcome.frame["leg"].to_list() == [None, {"x": 1}, None, None]
    kept = decode_pages(FLIGHTS, NEW, outcome.learned)
    assert kept.learned is None
    assert_frame_equal(kept.frame, outcome.frame)


def test_freeze_refuses_them_with_the_difference() -> None:
    frozen = FLIGHTS.model_copy(update={"columns": "freeze"})
    with pytest.raises(ConfigurationError, match=r"page 2 has fields .* gate \(text\), leg\.x \(integer\)\."):
        decode_pages(frozen, NEW)


def test_discard_leaves_them_out_and_counts_them(caplog: pytest.LogCaptureFixture) -> None:
    outcome = decode_pages(FLIGHTS.model_copy(update={"columns": "discard"}), NEW)
    assert outcome.frame.columns == ["id", "carrier", "dep_delay", "updated_at"]
    assert outcome.frame.height == 4
    assert outcome.learned is None
    assert "flights: values left out, as columns='discard' says: gate (2), leg (1)" in caplog.messages


class Leg(msgspec.Struct):
    x: int


class Trip(msgspec.Struct, rename={"first_leg": "firstLeg"}):
    id: int
    first_leg: Leg | None
    legs: list[Leg] = []


TRIPS: list[list[Any]] = [
    [
        {"id": 1, "firstLeg": {"x": 1, "y": 2}, "legs": [{"x": 1}, {"x": 2, "z": [3]}], "first_leg": 5},
        {"id": 2, "firstLeg": {"x": "1", "y": 2}},
        {"id": 3, "firstLeg": None},
    ]
]


def test_new_fields_inside_of_declared_objects_are_taken_in_too() -> None:
    resource = LEARNING.model_copy(update={"record": Trip, "name": "trips"})
    outcome = decode_pages(resource, TRIPS)
    assert outcome.frame.to_dicts() == [
        {
            "id": 1,
            "first_leg": {"x": 1, "y": 2},
            "legs": [{"x": 1, "z": None}, {"x": 2, "z": [3]}],
            "first_leg_": 5,
        },
        {"id": 3, "first_leg": None, "legs": [], "first_leg_": None},
    ]
    assert [each["path"] for each in outcome.rejected] == ["$.data[1].firstLeg.x"]


def test_values_left_out_of_objects_are_counted_by_path(caplog: pytest.LogCaptureFixture) -> None:
    resource = LEARNING.model_copy(update={"record": Trip, "name": "trips", "columns": "discard"})
    decode_pages(resource, TRIPS)
    assert any("firstLeg.y (1), first_leg (1), legs.z (1)" in message for message in caplog.messages)


FAR = "9999-12-31T23:00:00-05:00"


def test_a_time_that_cannot_be_stored_is_rejected_alone_among_other_pages(
    caplog: pytest.LogCaptureFixture,
) -> None:
    resource = FLIGHTS.model_copy(update={"columns": "discard", "nul": "remove"})
    outcome = decode_pages(
        resource,
        [
            [make_flight(1, gate="A1"), make_flight(2, dep_delay="late")],
            [make_flight(3, carrier="U\0A"), make_flight(4, gate="A2")],
            [],
            [make_flight(5), make_flight(6, updated_at=FAR), make_flight(7)],
            [make_flight(8, leg=1), make_flight(9, updated_at=FAR)],
        ],
    )
    assert outcome.frame["id"].to_list() == [1, 3, 4, 5, 7, 8]
    assert [(each["page"], each["path"]) for each in outcome.rejected] == [
        (1, "$.data[1].dep_delay"),
        (4, "$.data[1].updated_at"),
        (5, "$.data[1].updated_at"),
    ]
    assert json.loads(outcome.rejected[1]["record"]) == make_flight(6, updated_at=FAR)
    assert "flights: values left out, as columns='discard' says: gate (2), leg (1)" in caplog.messages
    assert any("removed from 1 records" in message for message in caplog.messages)


def test_large_pages_are_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    make_chunk = Columns.make_chunk

    def watched(columns: Columns, rows: Sequence[msgspec.Struct]) -> pl.DataFrame:
        made.append(len(rows))
        return make_chunk(columns, rows)

    monkeypatch.setattr(records, "_CHUNK_BYTES", 1_000)
    monkeypatch.setattr(Columns, "make_chunk", watched)
    outcome = decode_pages(FLIGHTS, [[make_flight(n, carrier="U" * 600)] for n in range(5)])
    assert made == [2, 2, 1]
    assert outcome.frame["id"].to_list() == [0, 1, 2, 3, 4]


def test_more_fields_than_can_be_counted_are_left_out_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(decoder, "MAX_FIELDS", 3)
    resource = FLIGHTS.model_copy(update={"columns": "discard"})
    pages = [[make_flight(n, **{f"id-{n}": n}), make_flight(n, id="x")] for n in range(6)]
    outcome = decode_pages(resource, pages)
    assert (outcome.frame.height, len(outcome.rejected)) == (6, 6)
    assert any("fields are left out, no longer counted" in message for message in caplog.messages)
