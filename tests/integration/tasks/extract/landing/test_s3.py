"""The landing zone in a bucket of a real S3 server."""

import datetime as dt
import hashlib

import pytest

from tasks.errors import ConfigurationError, PipelineError, RetriableError
from tasks.extract.landing.folders import Folder, open_folder
from tasks.extract.landing.landed import FirstRequest
from tasks.extract.landing.zone import Landing
from tasks.extract.pages import Page
from tests.integration.tasks.extract.landing.s3_server import CREDENTIALS, Mode, S3Server

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
REQUEST = FirstRequest(base_url="https://api.example.test", path="/flights", params={}, requested_at=NOW)
ZONE = "s3://zone/assay/load/raw-1/flights"
PREFIX = "assay/load/raw-1/flights/"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore.*")


def make_page(number: int, size: int = 10) -> Page:
    # Of a kind that compresses badly, so that half a request is half a segment.
    body = b"".join(hashlib.sha256(b"%d %d" % (number, n)).digest() for n in range(size))
    return Page(
        number=number,
        url=f"https://api.example.test/flights?page={number}",
        status=200,
        content_type="application/json",
        fetched_at=NOW,
        sha256=hashlib.sha256(body).hexdigest(),
        body=body,
    )


def read(folder: Folder) -> tuple[list[int], bool]:
    """Numbers of the pages that a resumed extraction finds, and whether they are all."""
    landing = Landing(folder)
    landing.begin(REQUEST)
    return [page.number for page in landing.read_pages()], landing.is_complete


def land(*segments: range, complete: bool = False) -> None:
    with Landing(open_folder(ZONE)) as landing:
        landing.begin(REQUEST)
        for segment in segments:
            for number in segment:
                landing.add(make_page(number))
            landing.flush()
        if complete:
            landing.complete(records=9, size=99)


def resume(page: Page, failure: Exception | None = None) -> None:
    """Read what is landed, take one more page, and fail then if so told."""
    with Landing(open_folder(ZONE)) as landing:
        landing.begin(REQUEST)
        list(landing.read_pages())
        landing.add(page)
        if failure:
            raise failure


def test_pages_come_back_from_a_bucket(server: S3Server) -> None:
    land(range(1, 4), range(4, 6))
    assert server.list_keys("zone") == [
        f"{PREFIX}{name}" for name in ("00000001-00000003.parquet", "00000004-00000005.parquet", "_request")
    ]
    assert read(open_folder(ZONE)) == ([1, 2, 3, 4, 5], False)


def test_complete_landing_is_known_as_such(server: S3Server) -> None:
    land(range(1, 4), complete=True)
    server.asked.clear()
    assert read(open_folder(ZONE)) == ([1, 2, 3], True)
    assert len(server.asked) == 4, "listing, request, completion, one segment"


def test_damaged_object_ends_what_is_landed(server: S3Server, caplog: pytest.LogCaptureFixture) -> None:
    land(range(1, 3), range(3, 5), range(5, 6), complete=True)
    server.client.put_object(Bucket="zone", Key=f"{PREFIX}00000003-00000004.parquet", Body=b"half")
    assert read(open_folder(ZONE)) == ([1, 2], False)
    assert "fetching again from page 3" in caplog.text
    assert server.list_keys("zone") == [f"{PREFIX}00000001-00000002.parquet", f"{PREFIX}_request"]


@pytest.mark.parametrize(("mode", "said"), [("500", "answers 500 InternalError"), ("cut", "does not answer")])
def test_failing_server_publishes_nothing_and_the_next_attempt_goes_on(
    server: S3Server, mode: Mode, said: str
) -> None:
    land(range(1, 3))
    server.mode, server.fails = mode, "00000003"
    before = len(server.asked) + 3  # listing, request and one segment are read before
    with pytest.raises(RetriableError, match=said) as caught:
        resume(make_page(3, size=10_000))
    assert ZONE in str(caught.value)
    assert server.asked[-1].startswith("PUT")
    assert len(server.asked) - before <= 2, "not tried again when the extraction ends"
    assert server.list_keys("zone") == [f"{PREFIX}00000001-00000002.parquet", f"{PREFIX}_request"]
    server.mode = "well"
    assert read(open_folder(ZONE)) == ([1, 2], False)


def test_first_failure_is_the_one_that_is_raised(server: S3Server, caplog: pytest.LogCaptureFixture) -> None:
    server.mode, server.fails = "500", "00000001"
    with pytest.raises(ZeroDivisionError):
        resume(make_page(1), ZeroDivisionError())
    assert "not landed" in caplog.text


def test_unknown_bucket_is_said_before_the_first_page(server: S3Server) -> None:
    landing = Landing(open_folder("s3://elsewhere/x"))
    with pytest.raises(ConfigurationError, match="the bucket does not exist") as caught:
        landing.begin(REQUEST)
    assert "s3://elsewhere/x" in str(caught.value)
    assert "correct ASSAY_LANDING_URL" in str(caught.value)
    assert server.asked


@pytest.mark.usefixtures("server", "fresh_client")
def test_missing_credentials_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CREDENTIALS:
        if "KEY" in name:
            monkeypatch.delenv(name)
    with pytest.raises(ConfigurationError, match="no AWS credentials found"):
        Landing(open_folder(ZONE)).begin(REQUEST)


@pytest.mark.usefixtures("server", "fresh_client")
def test_server_that_is_down_is_retriable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(RetriableError, match=r"http://127.0.0.1:9.* does not answer") as caught:
        Landing(open_folder(ZONE)).begin(REQUEST)
    assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)


@pytest.mark.usefixtures("server")
def test_folder_is_deleted_with_all_below() -> None:
    land(range(1, 3))
    folder = open_folder("s3://zone/assay")
    assert folder.list_names() == ["load"]
    folder.delete_all()
    assert folder.list_names() == []
    folder.delete_all()


def test_unknown_scheme_is_refused_with_its_reason() -> None:
    with pytest.raises(PipelineError, match="ASSAY_LANDING_URL: cannot land at gs:// addresses"):
        open_folder("gs://bucket/x")
