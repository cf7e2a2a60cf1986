import multiprocessing
import time
from pathlib import Path

import polars as pl
import pytest

from deployments.local.api.faults import Fault, FaultName
from deployments.local.api.server import DemoApi
from tasks.errors import ConfigurationError, RetriableError
from tasks.extract.extract import extract_resource
from tasks.extract.pagination.protocol import PagesShiftedError
from tasks.handover import Extracted
from tasks.pipeline import RateLimit
from tests.integration.tasks.extract.demo import (
    FLIGHTS,
    PAGE_SIZE,
    PAGES,
    TOKEN,
    extract,
    extract_to_be_killed,
    make_client,
    make_load,
)


def list_ids(extracted: Extracted) -> list[int]:
    ids: list[int] = pl.read_parquet(Path(extracted.frames) / "*.parquet")["id"].to_list()
    return ids


def count_requests(api: DemoApi) -> int:
    return len(api.state.stats.describe()["requests"])


def test_all_records_arrive_typed_and_in_order(api: DemoApi, tmp_path: Path) -> None:
    extracted = extract(api, tmp_path)
    assert list_ids(extracted) == list(api.state.snapshots["flights"].ids)
    assert (extracted.received, extracted.pages, extracted.rejected) == (PAGES * PAGE_SIZE, PAGES, None)
    assert count_requests(api) == PAGES
    frame = pl.read_parquet(Path(extracted.frames) / "*.parquet")
    assert frame.schema["time_hour"] == pl.Datetime("us", "UTC")
    assert frame["dep_delay"].null_count() > 0
    assert extracted.greatest_cursor == frame["updated_at"].max().isoformat().replace("+00:00", "Z")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "fault", ["error_500", "rate_limited_429", "truncated_body", "reset_connection", "slow", "html_200"]
)
@pytest.mark.parametrize("page", [1, 7])
def test_a_fault_that_passes_costs_no_record(
    api: DemoApi, tmp_path: Path, fault: FaultName, page: int
) -> None:
    api.state.faults.switch_on(Fault(fault=fault, page=page, times=2, seconds=0.2))
    assert sorted(list_ids(extract(api, tmp_path))) == list(range(1, PAGES * PAGE_SIZE + 1))
    assert count_requests(api) == PAGES + (0 if fault == "slow" else 2)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("error_500", 'answered 500 Internal Server Error \'{"error"'),
        ("truncated_body", "sent a damaged body"),
        ("reset_connection", "broke"),
        ("html_200", "<h1>We will be back soon</h1>"),
        ("slow", r"did not answer http://127.* within 0.3 s"),
    ],
)
def test_a_fault_that_stays_fails_with_what_where_and_how_often(
    api: DemoApi, tmp_path: Path, fault: FaultName, said: str
) -> None:
    api.state.faults.switch_on(Fault(fault=fault, page=9, seconds=0.6))
    with pytest.raises(RetriableError, match=rf"(?s)nyc_flights: flights page 9: .*{said}.*\(try 2 of 2\)"):
        extract(api, tmp_path, attempts=2, timeout_s=0.3)


def test_an_interrupted_extraction_is_resumed_after_what_is_landed(api: DemoApi, tmp_path: Path) -> None:
    api.state.faults.switch_on(Fault(fault="error_500", page=8, times=2))
    with pytest.raises(RetriableError):
        extract(api, tmp_path, attempts=2, connections=1)
    api.state.stats.clear()
    resumed = extract(api, tmp_path, attempt=2)
    assert 0 < resumed.resumed_pages < 8
    assert count_requests(api) == PAGES - resumed.resumed_pages
    assert list_ids(resumed) == list(api.state.snapshots["flights"].ids)


def test_an_extraction_killed_without_warning_is_resumed(api: DemoApi, tmp_path: Path) -> None:
    api.state.faults.switch_on(Fault(fault="slow", page=6, seconds=60))
    process = multiprocessing.get_context("spawn").Process(
        target=extract_to_be_killed, args=(api.url, str(tmp_path))
    )
    process.start()
    landed = tmp_path / "landing" / "flights"
    deadline = time.monotonic() + 20
    while len(list(landed.glob("0*.parquet"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.join()
    (landed / ".writing-1-00000006-00000006.parquet").write_bytes(b"PAR1 and then the power went")
    api.state.faults.switch_off()
    api.state.stats.clear()
    resumed = extract(api, tmp_path, attempt=2)
    assert resumed.resumed_pages >= 4
    assert count_requests(api) == PAGES - resumed.resumed_pages
    assert list_ids(resumed) == list(api.state.snapshots["flights"].ids)
    assert not list(landed.glob(".writing-*"))


def test_a_complete_landing_is_replayed_while_the_api_is_down(tmp_path: Path, api: DemoApi) -> None:
    first = extract(api, tmp_path)
    api.state.stats.clear()
    api.state.faults.switch_on(Fault(fault="error_500"))
    assert list_ids(extract(api, tmp_path, attempt=2)) == list_ids(first)
    assert count_requests(api) == 0


def test_pages_that_shift_are_never_a_silent_part(api: DemoApi, tmp_path: Path) -> None:
    api.state.faults.switch_on(Fault(fault="wrong_total", page=5, times=1))
    with pytest.raises(PagesShiftedError, match=r"total_records 5000, page 5 .*total_records 5001"):
        extract(api, tmp_path)
    assert extract(api, tmp_path, attempt=2).resumed_pages == 0


def test_only_what_changed_since_the_cursor_less_the_lag_is_asked_for(api: DemoApi, tmp_path: Path) -> None:
    first = extract(api, tmp_path / "first")
    moment = api.state.correct("flights", {7: {"dep_delay": 99}})
    second = extract(api, tmp_path / "second", cursor=first.greatest_cursor)
    assert 7 in list_ids(second)
    assert second.received < PAGE_SIZE
    assert second.greatest_cursor == moment
    third = extract(api, tmp_path / "third", cursor=second.greatest_cursor)
    assert list_ids(third) == [7]


def test_a_record_of_another_shape_is_rejected_and_the_others_are_not(api: DemoApi, tmp_path: Path) -> None:
    api.state.correct("flights", {11: {"dep_delay": "late"}, 12: {"carrier": None}, 13: {"tailnum": "N\0"}})
    extracted = extract(api, tmp_path)
    assert (extracted.received, extracted.rejected_count) == (PAGES * PAGE_SIZE, 3)
    assert extracted.rejected is not None
    rejected = pl.read_parquet(extracted.rejected)
    assert [path.partition("].")[2] for path in rejected["path"]] == ["dep_delay", "carrier", "tailnum"]


def test_a_wrong_token_is_asked_for_once_and_not_shown(api: DemoApi, tmp_path: Path) -> None:
    with (
        make_client(api.url, token="a-wrong-and-secret-token") as client,
        pytest.raises(ConfigurationError, match="ASSAY_SECRET_FLIGHTS_TOKEN") as error,
    ):
        extract_resource(client, FLIGHTS, make_load(tmp_path))
    assert "a-wrong-and-secret-token" not in str(error.value)


def test_a_wrong_path_says_what_the_api_said(api: DemoApi, tmp_path: Path) -> None:
    mistyped = FLIGHTS.model_copy(update={"path": "/fligths"})
    with (
        make_client(api.url) as client,
        pytest.raises(ConfigurationError, match=r"answered 404 .*no resource"),
    ):
        extract_resource(client, mistyped, make_load(tmp_path))


def test_a_refused_connection_is_reported_within_seconds(tmp_path: Path) -> None:
    started = time.monotonic()
    with (
        make_client("http://127.0.0.1:9") as client,
        pytest.raises(
            RetriableError,
            match=r"flights page 1: the API at http://127.0.0.1:9 refuses connections. Is it up\?",
        ),
    ):
        extract_resource(client, FLIGHTS, make_load(tmp_path))
    assert time.monotonic() - started < 8


def test_the_declared_rate_is_kept(api: DemoApi, tmp_path: Path) -> None:
    api.state.limit_rate(16)
    extract(api, tmp_path, rate_limit=RateLimit(requests=4, per_s=0.3))
    assert api.state.stats.describe()["served"]["flights"] == {"200": PAGES}


def test_the_token_is_in_no_file_log_or_exception(
    api: DemoApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    api.state.faults.switch_on(Fault(fault="html_200", page=2, times=1))
    api.state.faults.switch_on(Fault(fault="error_500", page=9))
    with make_client(api.url, attempts=2) as client:
        with pytest.raises(RetriableError) as error:
            extract_resource(client, FLIGHTS, make_load(tmp_path))
        api.state.faults.switch_off()
        extracted = extract_resource(client, FLIGHTS, make_load(tmp_path, attempt=2))
        shown = [repr(client), repr(client._auth), repr(vars(client)), repr(extracted), caplog.text]
    exc: BaseException | None = error.value
    while exc is not None:
        shown += [repr(exc), str(exc), repr(exc.args), repr(vars(exc))]
        exc = exc.__cause__ or exc.__context__
    assert TOKEN not in "\n".join(shown)
    for file in filter(Path.is_file, tmp_path.rglob("*")):
        assert TOKEN.encode() not in file.read_bytes()
        if file.suffix == ".parquet":
            assert TOKEN not in str(pl.read_parquet(file).to_dicts())
