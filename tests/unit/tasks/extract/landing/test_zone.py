import datetime as dt
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec
import polars as pl
import pytest

from tasks.errors import FatalError
from tasks.extract.landing import zone as module
from tasks.extract.landing.folders import open_folder
from tasks.extract.landing.landed import FirstRequest
from tasks.extract.landing.zone import Landing
from tasks.extract.pages import Page

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
REQUEST = FirstRequest(
    base_url="https://api.example.test", path="/flights", params={"per_page": "10"}, requested_at=NOW
)


def make_page(number: int) -> Page:
    body = b'{"data": [%d]}' % number
    return Page(
        number=number,
        url=f"https://api.example.test/flights?page={number}",
        status=200,
        content_type="application/json",
        fetched_at=NOW,
        sha256=hashlib.sha256(body).hexdigest(),
        body=body,
        next_state='{"total_pages":9}',
    )


def open_landing(folder: Path) -> Landing:
    return Landing(open_folder(str(folder)))


def land(folder: Path, *segments: range, complete: bool = False) -> None:
    with open_landing(folder) as landing:
        landing.begin(REQUEST)
        for segment in segments:
            for number in segment:
                landing.add(make_page(number))
            landing.flush()
        if complete:
            landing.complete(records=9, size=99)


def read(folder: Path, request: FirstRequest = REQUEST) -> list[int]:
    landing = open_landing(folder)
    landing.begin(request)
    return [page.number for page in landing.read_pages()]


def list_files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_pages_come_back_as_they_were(tmp_path: Path) -> None:
    land(tmp_path, range(1, 4))
    landing = open_landing(tmp_path)
    landing.begin(REQUEST)
    assert list(landing.read_pages()) == [make_page(number) for number in (1, 2, 3)]


def test_a_segment_is_named_by_its_pages_and_has_the_documented_columns(tmp_path: Path) -> None:
    land(tmp_path, range(1, 65), range(65, 67), complete=True)
    assert list_files(tmp_path) == [
        "00000001-00000064.parquet",
        "00000065-00000066.parquet",
        "_complete",
        "_request",
    ]
    assert pl.read_parquet(tmp_path / "00000001-00000064.parquet").columns == (
        [
            "page",
            "url",
            "request_body",
            "status",
            "content_type",
            "headers",
            "next_state",
            "fetched_at",
            "sha256",
            "body",
        ]
    )


def test_completion_holds_counts_and_the_hash_of_each_segment(tmp_path: Path) -> None:
    land(tmp_path, range(1, 3), complete=True)
    segment = tmp_path / "00000001-00000002.parquet"
    assert msgspec.json.decode((tmp_path / "_complete").read_bytes()) == {
        "pages": 2,
        "records": 9,
        "bytes": 99,
        "segments": {segment.name: hashlib.sha256(segment.read_bytes()).hexdigest()},
    }


def test_the_first_request_outlives_a_resume(tmp_path: Path) -> None:
    land(tmp_path, range(1, 3))
    later = msgspec.structs.replace(REQUEST, requested_at=NOW.replace(year=2030))
    assert open_landing(tmp_path).begin(later) == REQUEST


@pytest.mark.parametrize("change", [{"params": {"since": "x"}}, {"base_url": "https://other.test"}])
def test_a_part_that_answers_another_request_is_discarded(
    tmp_path: Path, change: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    land(tmp_path, range(1, 3))
    assert read(tmp_path, msgspec.structs.replace(REQUEST, **change)) == []
    assert "another request" in caplog.text
    assert list_files(tmp_path) == ["_request"]


def test_a_complete_answer_to_another_request_is_not_deleted(tmp_path: Path) -> None:
    land(tmp_path, range(1, 3), complete=True)
    with pytest.raises(FatalError, match="another request"):
        read(tmp_path, msgspec.structs.replace(REQUEST, path="/weather"))
    assert read(tmp_path) == [1, 2]


def test_a_complete_landing_can_be_read_under_another_address(tmp_path: Path) -> None:
    land(tmp_path, range(1, 3), complete=True)
    assert read(tmp_path, msgspec.structs.replace(REQUEST, base_url="http://127.0.0.1:1")) == [1, 2]


def _truncate(segment: Path) -> None:
    segment.write_bytes(segment.read_bytes()[:-100])


def _empty(segment: Path) -> None:
    segment.write_bytes(b"")


def _remove(segment: Path) -> None:
    segment.unlink()


def _change_a_body(segment: Path) -> None:
    frame = pl.read_parquet(segment)
    frame.with_columns(body=pl.lit(b'{"data": [0]}')).write_parquet(segment)


def _drop_a_page(segment: Path) -> None:
    pl.read_parquet(segment).head(1).write_parquet(segment)


def _drop_a_column(segment: Path) -> None:
    pl.read_parquet(segment).drop("url").write_parquet(segment)


@pytest.mark.parametrize("damage", [_truncate, _empty, _remove, _change_a_body, _drop_a_page, _drop_a_column])
@pytest.mark.parametrize("complete", [True, False])
def test_what_is_landed_ends_at_the_first_damage(
    tmp_path: Path, damage: Callable[[Path], None], complete: bool, caplog: pytest.LogCaptureFixture
) -> None:
    land(tmp_path, range(1, 3), range(3, 5), range(5, 7), complete=complete)
    damage(tmp_path / "00000003-00000004.parquet")
    with caplog.at_level(logging.WARNING):
        assert read(tmp_path) == [1, 2]
    assert "fetching again from page 3" in caplog.text
    assert list_files(tmp_path) == ["00000001-00000002.parquet", "_request"]


def test_a_completed_landing_without_its_last_segment_is_not_complete(tmp_path: Path) -> None:
    land(tmp_path, range(1, 3), range(3, 5), complete=True)
    (tmp_path / "00000003-00000004.parquet").unlink()
    landing = open_landing(tmp_path)
    landing.begin(REQUEST)
    assert [page.number for page in landing.read_pages()] == [1, 2]
    assert not landing.is_complete


def test_files_of_a_killed_process_are_cleaned_up(tmp_path: Path) -> None:
    land(tmp_path, range(1, 3))
    (tmp_path / ".writing-4711-00000003-00000004.parquet").write_bytes(b"half")
    assert read(tmp_path) == [1, 2]
    assert list_files(tmp_path) == ["00000001-00000002.parquet", "_request"]


def test_a_segment_ends_when_it_is_big_or_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 3 * len(make_page(1).body))
    land(tmp_path, range(1, 5))
    monkeypatch.setattr(module, "SEGMENT_AGE_S", 0.0)
    with open_landing(tmp_path) as landing:
        landing.begin(REQUEST)
        list(landing.read_pages())
        landing.add(make_page(5))
        landing.flush_if_old()
        assert landing._buffer == []
    assert list_files(tmp_path)[:3] == [
        "00000001-00000003.parquet",
        "00000004-00000004.parquet",
        "00000005-00000005.parquet",
    ]


def test_an_interrupted_landing_keeps_what_it_has(tmp_path: Path) -> None:
    landing = open_landing(tmp_path)
    landing.begin(REQUEST)
    landing.add(make_page(1))
    with pytest.raises(KeyboardInterrupt), landing:
        raise KeyboardInterrupt
    assert read(tmp_path) == [1]


def test_a_segment_that_cannot_be_written_fails_the_extraction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    landing = open_landing(tmp_path)
    landing.begin(REQUEST)
    monkeypatch.setattr("os.fsync", refuse)
    landing.add(make_page(1))
    with pytest.raises(FatalError, match=r"the disk is full.*MB free"), landing:
        landing.flush()
    monkeypatch.undo()
    assert read(tmp_path) == []
