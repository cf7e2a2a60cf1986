"""One S3 server for all tests of the landing zone, with an empty bucket for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from s3fs import S3FileSystem

from tasks import s3
from tests.integration.tasks.extract.landing.s3_server import S3Server, s3_server


@pytest.fixture(scope="module")
def started() -> Iterator[S3Server]:
    S3FileSystem.clear_instance_cache()
    with s3_server() as server:
        yield server


@pytest.fixture
def server(started: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server with its bucket `zone`, found by the environment, asked once and not again."""
    requests.post(f"{started.endpoint}/moto-api/reset", timeout=10)
    started.client.create_bucket(Bucket="zone")
    started.mode, started.fails = "well", ""
    started.asked.clear()
    monkeypatch.setattr(s3, "TRIES", 1)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in started.env.items():
        monkeypatch.setenv(name, value)
    return started


@pytest.fixture
def fresh_client() -> Iterator[None]:
    """For tests that change how the server is entered: clients are kept for a process."""
    S3FileSystem.clear_instance_cache()
    yield
    S3FileSystem.clear_instance_cache()
