import itertools
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tasks.errors import ConfigurationError, DiskFullError, RetriableError
from tasks.extract.completeness import PageRepeatedError
from tasks.extract.decoding.parts import RecordParts
from tasks.extract.extract import extract_resource
from tasks.extract.failures import ExtractionStopped
from tasks.extract.landing import zone as landing_module
from tasks.extract.landing.local import LocalFolder
from tasks.extract.pagination.protocol import PagesShiftedError
from tasks.handover import Extracted
from tests.unit.tasks.extract.fake_api import (
    FLIGHTS,
    NOW,
    FakeApi,
    Reply,
    make_flight,
    make_load,
    serve,
)


def extract(api: FakeApi, folder: Path, **load: Any) -> Extracted:
    return extract_resource(api, FLIGHTS, make_load(folder, **load), now=lambda: NOW)


def read_rows(extracted: Extracted) -> pl.DataFrame:
    return pl.read_parquet(Path(extracted.frames) / "*.parquet")


def split(records: list[Any], cuts: list[int]) -> list[list[Any]]:
    edges = [0, *sorted(cut % (len(records) + 1) for cut in cuts), len(records)]
    return [records[start:stop] for start, stop in itertools.pairwise(edges)]


@settings(max_examples=25)
@given(
    count=st.integers(0, 12),
    bad=st.sets(st.integers(0, 11)),
    cuts=st.lists(st.integers(0, 99), max_size=5),
)
def test_pages_in_any_split_are_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, count: int, bad: set[int], cuts: list[int]
) -> None:
    records = [make_flight(n, **({"carrier": n} if n in bad else {})) for n in range(count)]
    whole = extract(FakeApi(serve([records])), tmp_path_factory.mktemp("whole"))
    parts = extract(FakeApi(serve(split(records, cuts))), tmp_path_factory.mktemp("parts"))
    assert_frame_equal(read_rows(whole), read_rows(parts))
    assert parts.received == count == parts.decoded + parts.rejected_count
    assert parts.greatest_cursor == whole.greatest_cursor
    if parts.rejected:
        assert whole.rejected is not None
        assert_frame_equal(
            pl.read_parquet(parts.rejected).select("record", "message"),
            pl.read_parquet(whole.rejected).select("record", "message"),
        )


@settings(max_examples=15)
@given(page_bytes=st.integers(1, 2500), fails_at=st.integers(1, 9), pages=st.integers(1, 9))
def test_a_resumed_extraction_gives_the_same_rows_and_fetches_only_the_rest(
    tmp_path_factory: pytest.TempPathFactory, page_bytes: int, fails_at: int, pages: int
) -> None:
    folder = tmp_path_factory.mktemp("load")
    answer = serve([[make_flight(10 * page + n) for n in range(3)] for page in range(pages)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landing_module, "SEGMENT_BYTES", page_bytes)
        whole = extract(FakeApi(answer), tmp_path_factory.mktemp("whole"))
        broken = FakeApi(lambda page, earlier: Reply(b"", 500) if page >= fails_at else answer(page, earlier))
        if fails_at <= pages:
            with pytest.raises(RetriableError):
                extract(broken, folder)
        landed = len(list((folder / "landing" / "flights").glob("*.parquet"))) if fails_at <= pages else 0
        api = FakeApi(answer)
        resumed = extract(api, folder, attempt=2)
    assert_frame_equal(read_rows(whole), read_rows(resumed))
    assert sorted(api.asked) == list(range(resumed.resumed_pages + 1, pages + 1))
    assert (resumed.resumed_pages > 0) == (landed > 0)
    assert (resumed.pages, resumed.bytes, resumed.received) == (whole.pages, whole.bytes, whole.received)


def test_a_complete_landing_is_replayed_without_the_api(tmp_path: Path) -> None:
    first = extract(FakeApi(serve([[make_flight(1)], [make_flight(2)]])), tmp_path)
    api = FakeApi(lambda _page, _earlier: Reply(b"", 500))
    again = extract(api, tmp_path, attempt=2)
    assert api.asked == []
    assert (again.received, again.resumed_pages) == (2, 2)
    assert_frame_equal(read_rows(first), read_rows(again))


def test_the_last_records_go_on_while_the_last_pages_are_landed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, landing = threading.Event(), LocalFolder.write

    def land(folder: LocalFolder, name: str, data: bytes) -> None:
        assert name == "_request" or written.wait(10), "the records waited for the landing zone"
        landing(folder, name, data)

    def close(parts: RecordParts) -> None:
        closing(parts)
        written.set()

    closing = RecordParts.close
    monkeypatch.setattr(LocalFolder, "write", land)
    monkeypatch.setattr(RecordParts, "close", close)
    assert extract(FakeApi(serve([[make_flight(1)], [make_flight(2)]])), tmp_path).decoded == 2
    assert any(tmp_path.rglob("_complete"))


def test_last_pages_that_cannot_be_landed_fail_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def land(_folder: LocalFolder, name: str, _data: bytes) -> None:
        if name != "_request":
            raise DiskFullError("no room")

    monkeypatch.setattr(LocalFolder, "write", land)
    with pytest.raises(DiskFullError, match="no room"):
        extract(FakeApi(serve([[make_flight(1)]])), tmp_path)
    assert not any(tmp_path.rglob("_complete"))


def test_what_is_landed_is_complete_when_the_last_records_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_parts: RecordParts) -> None:
        raise ConfigurationError("does not fit")

    monkeypatch.setattr(RecordParts, "close", fail)
    with pytest.raises(ConfigurationError, match="does not fit"):
        extract(FakeApi(serve([[make_flight(1)]])), tmp_path)
    monkeypatch.undo()
    replayed = extract_resource(
        FakeApi(lambda *_: Reply(b"", 500)), FLIGHTS, make_load(tmp_path, attempt=2), now=lambda: NOW
    )
    assert (replayed.decoded, replayed.resumed_pages) == (1, 1)


def test_an_empty_resource_leaves_one_part_with_its_columns(tmp_path: Path) -> None:
    extracted = extract(FakeApi(serve([[]])), tmp_path)
    assert [part.name for part in Path(extracted.frames).iterdir()] == ["part-00001.parquet"]
    assert read_rows(extracted).schema == {
        "id": pl.Int64(),
        "carrier": pl.String(),
        "dep_delay": pl.Float64(),
        "updated_at": pl.Datetime("us", "UTC"),
    }
    assert (extracted.received, extracted.rejected, extracted.greatest_cursor) == (0, None, None)


def test_the_parts_of_a_large_extraction_grow_to_a_bounded_size(tmp_path: Path) -> None:
    pages = [[make_flight(900 * page + n) for n in range(900)] for page in range(75)]
    extracted = extract(FakeApi(serve(pages)), tmp_path)
    heights = [pl.read_parquet(part).height for part in sorted(Path(extracted.frames).iterdir())]
    assert heights == [2_700, 5_400, 10_800, 21_600, 21_600, 5_400]
    assert read_rows(extracted)["id"].to_list() == list(range(67_500))


def test_the_cursor_less_nothing_is_sent_and_the_greatest_comes_back(tmp_path: Path) -> None:
    api = FakeApi(
        serve([[make_flight(1), make_flight(2)], [make_flight(0, updated_at="9999-01-01T00:00:00Z")]])
    )
    extracted = extract(api, tmp_path, cursor="2013-01-01T00:00:00.000007Z")
    assert all("since=2013-01-01T00%3A00%3A00.000007Z" in url for url in api.urls)
    assert extracted.greatest_cursor == "2013-01-01T00:02:00.000002Z"
    assert extracted.cursor_cap == "2026-01-02T03:09:05.678901Z"


def test_pages_that_shift_fail_the_run_and_the_next_starts_afresh(tmp_path: Path) -> None:
    good = serve([[make_flight(page)] for page in range(6)])
    shifted = serve([[make_flight(page)] for page in range(7)])
    with pytest.raises(PagesShiftedError):
        extract(FakeApi(lambda page, earlier: (shifted if page == 4 else good)(page, earlier)), tmp_path)
    api = FakeApi(shifted)
    assert extract(api, tmp_path, attempt=2).resumed_pages == 0
    assert sorted(api.asked) == [1, 2, 3, 4, 5, 6, 7]


def test_a_missing_record_fails_the_run(tmp_path: Path) -> None:
    def answer(page: int, earlier: int) -> Reply:
        reply = serve([[make_flight(1)], [make_flight(2)]])(page, earlier)
        return Reply(reply.body.replace(b'"total": 2', b'"total": 3'))

    with pytest.raises(PagesShiftedError, match="announced 3, received 2"):
        extract(FakeApi(answer), tmp_path)


def test_an_api_that_repeats_a_page_is_refused(tmp_path: Path) -> None:
    page = [make_flight(1), make_flight(2)]
    with pytest.raises(PageRepeatedError, match="pages 1 and 2 hold the same records"):
        extract(FakeApi(serve([page, page])), tmp_path)


def test_rejected_records_are_left_with_their_place_and_reason(tmp_path: Path) -> None:
    extracted = extract(
        FakeApi(serve([[make_flight(1)], [make_flight(2), make_flight(3, id="x")]])), tmp_path
    )
    assert (extracted.received, extracted.decoded, extracted.rejected_count) == (3, 2, 1)
    assert extracted.rejected is not None
    (row,) = pl.read_parquet(extracted.rejected).to_dicts()
    assert row == {
        "page": 2,
        "index": 1,
        "path": "$.data[1].id",
        "message": "Expected `int`, got `str`",
        "record": json.dumps(make_flight(3, id="x")),
    }


def test_the_log_says_what_was_rejected_and_what_is_new(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        extract(FakeApi(serve([[make_flight(1, gate="B7")], [make_flight(3, id="x")]])), tmp_path)
    assert "flights: 1 fields learned: gate (text)" in caplog.messages
    assert "flights: 2 records on 2 pages (0 of them landed before), 1 rejected" in caplog.messages
    assert any("first: Expected `int`, got `str` at $.data[0].id of page 2" in m for m in caplog.messages)


def test_leftovers_of_an_earlier_attempt_are_removed(tmp_path: Path) -> None:
    extract(FakeApi(serve([[make_flight(1), make_flight(3, id="x")]])), tmp_path / "a")
    work = tmp_path / "b" / "work" / "1"
    (work / "flights").mkdir(parents=True)
    (work / "flights" / "part-00009.parquet").write_bytes(b"old")
    (work / "flights.rejected.parquet").write_bytes(b"old")
    extract(FakeApi(serve([[make_flight(1)]])), tmp_path / "b")
    assert sorted(file.name for file in work.rglob("*")) == ["flights", "part-00001.parquet"]


def extract_both(api: FakeApi, folder: Path) -> list[BaseException | None]:
    load = make_load(folder)
    with ThreadPoolExecutor() as pool:
        resources = [FLIGHTS, FLIGHTS.model_copy(update={"name": "weather", "path": "/weather"})]
        futures = [pool.submit(extract_resource, api, resource, load) for resource in resources]
        return [future.exception() for future in futures]


def test_a_hopeless_failure_ends_the_other_resources_with_the_same_error(tmp_path: Path) -> None:
    api = FakeApi(serve([[make_flight(page)] for page in range(2000)]))
    api.errors["weather"] = ConfigurationError("the path is wrong")
    assert extract_both(api, tmp_path) == [api.errors["weather"]] * 2
    assert len(api.asked) < 1000


def test_a_failure_that_may_pass_lets_the_other_resources_finish(tmp_path: Path) -> None:
    api = FakeApi(serve([[make_flight(page)] for page in range(60)]))
    api.errors["weather"] = RetriableError("the API is down")
    assert extract_both(api, tmp_path) == [None, api.errors["weather"]]


def test_a_stopped_client_ends_an_extraction(tmp_path: Path) -> None:
    pages = serve([[make_flight(page)] for page in range(2000)])

    def answer(page: int, earlier: int) -> Reply:
        if page == 40:
            api.stop.set()
        return pages(page, earlier)

    api = FakeApi(answer)
    with pytest.raises(ExtractionStopped, match="flights: stopped"):
        extract(api, tmp_path)
    assert len(api.asked) < 60
