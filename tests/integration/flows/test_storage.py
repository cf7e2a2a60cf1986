"""Report files in a bucket, against moto's S3 server on loopback."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import requests
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from flows.storage import S3Store, open_store
from tasks.errors import ConfigurationError, PipelineError, RetriableError
from tasks.ports import Store
from tasks.publish.storage import FolderStore
from tasks.settings import Settings

HTML = "text/html; charset=utf-8"
SECRET = "secret-key-that-must-not-be-told"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture(autouse=True)
def aws(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def bucket(server: str) -> str:
    requests.post(f"{server}/moto-api/reset", timeout=10)
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="reports")
    everyone_reads = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    client.put_bucket_policy(
        Bucket="reports", Policy=json.dumps({"Version": "2012-10-17", "Statement": [everyone_reads]})
    )
    return "reports"


def open_at(url: str) -> Store:
    return open_store(Settings(reports_url=url))


def test_object_is_served_as_html_at_its_url(bucket: str) -> None:
    store = open_at(f"s3://{bucket}/assay/prod/")
    store.put("loads/l 1/1/index.html", b"<p>hello</p>", HTML)

    head = boto3.client("s3", region_name="us-east-1").head_object(
        Bucket=bucket, Key="assay/prod/loads/l 1/1/index.html"
    )
    assert head["ContentType"] == HTML
    answer = requests.get(store.url("loads/l 1/1/index.html"), timeout=10)
    assert (answer.status_code, answer.text) == (200, "<p>hello</p>")


def test_second_put_replaces_the_object(bucket: str) -> None:
    store = open_at(f"s3://{bucket}")
    store.put("index.html", b"old", HTML)
    store.put("index.html", b"new", HTML)
    assert requests.get(store.url("index.html"), timeout=10).text == "new"


def test_s3_endpoint_variable_wins(bucket: str, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.replace("127.0.0.1", "localhost"))
    store = open_at(f"s3://{bucket}/x")
    store.put("index.html", b"here", HTML)
    assert store.url("index.html") == f"{server.replace('127.0.0.1', 'localhost')}/reports/x/index.html"


def test_url_at_amazon_is_https(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    url = open_at("s3://reports/assay").url("index.html")
    assert url == "https://reports.s3.eu-central-1.amazonaws.com/assay/index.html"


@pytest.mark.usefixtures("bucket")
def test_missing_bucket_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="s3://elsewhere/: the bucket does not exist"):
        open_at("s3://elsewhere").put("index.html", b"", HTML)


def test_server_that_is_down_is_retriable(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(RetriableError, match="does not answer") as caught:
            open_at("s3://reports").put("index.html", b"", HTML)
    assert SECRET not in str(caught.value)


def test_no_credentials_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ConfigurationError, match="no AWS credentials found"):
        open_at("s3://reports").put("index.html", b"", HTML)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "AccessDenied", ConfigurationError),
        (403, "SignatureDoesNotMatch", ConfigurationError),
        (503, "SlowDown", RetriableError),
        (500, "InternalError", RetriableError),
    ],
)
def test_errors_say_what_to_do_without_keys(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str, error: type[PipelineError]
) -> None:
    store = open_at("s3://reports")
    assert isinstance(store, S3Store)

    def refuse(**_: object) -> None:
        told = {"Code": code, "Message": f"signed with {SECRET}"}
        raise ClientError(
            {"Error": told, "ResponseMetadata": {"HTTPStatusCode": status}},
            "PutObject",
        )

    monkeypatch.setattr(store._client, "put_object", refuse)
    with pytest.raises(error) as caught:
        store.put("index.html", b"", HTML)
    assert "s3://reports" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("path", ["../x.html", "/x.html", "a/../../x.html", "a//x.html", ""])
def test_path_that_leaves_the_prefix_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match="not a relative path"):
        open_at("s3://reports/assay").put(path, b"", HTML)


@pytest.mark.parametrize("url", ["s3://", "s3:///prefix", "s3://key:secret@bucket/x", "s3://bucket/x?y=1"])
def test_malformed_s3_address_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="s3://bucket/prefix") as caught:
        open_at(url)
    assert "secret" not in str(caught.value)


def test_other_schemes_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="gs://"):
        open_at("gs://bucket/prefix")


def test_folder_is_the_default(tmp_path: Path) -> None:
    store = open_store(Settings(home=tmp_path))
    assert isinstance(store, FolderStore)
    assert store.url("index.html") == (tmp_path / "reports" / "index.html").as_uri()
