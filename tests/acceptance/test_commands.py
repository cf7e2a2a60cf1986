"""The command line on a bad day: one clear message with the next step, no stack trace, nothing published."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import polars as pl
import pytest
from moto.server import ThreadedMotoServer

from tests.acceptance.conftest import World

BAD_DAYS = {
    "an unknown pipeline": (("run", "nyc_flight", "--no-prefect"), {}, 2, "Did you mean 'nyc_flights'?"),
    "a wrong token": (
        ("run", "nyc_flights", "--no-prefect", "-q"),
        {"ASSAY_SECRET_NYC_FLIGHTS_TOKEN": "not-the-token"},
        2,
        "Check the secret: 'nyc-flights-token' (ASSAY_SECRET_NYC_FLIGHTS_TOKEN",
    ),
    "an empty token": (
        ("run", "nyc_flights", "--no-prefect", "-q"),
        {"ASSAY_SECRET_NYC_FLIGHTS_TOKEN": ""},
        2,
        "is empty",
    ),
    "an API that is down": (
        ("run", "nyc_flights", "--no-prefect", "-q"),
        {"ASSAY_BASE_URL_NYC_FLIGHTS": "http://127.0.0.1:9"},
        1,
        "refuses connections. Is it up?",
    ),
    "a database that is down": (
        ("run", "nyc_flights", "--no-prefect", "-q"),
        {"ASSAY_DATABASE_URL": "postgresql://someone:hunter2@127.0.0.1:9/db"},
        1,
        "Postgres at 127.0.0.1:9/db is not reachable",
    ),
    "a Prefect server that is down": (
        ("run", "nyc_flights", "-q"),
        {"PREFECT_API_URL": "http://127.0.0.1:9/api"},
        1,
        "The Prefect server is not there",
    ),
    "a DSN that is none": (
        ("status",),
        {"ASSAY_DATABASE_URL": "hunter2"},
        2,
        "ASSAY_DATABASE_URL is not a DSN",
    ),
    "a setting that is no number": (
        ("status",),
        {"ASSAY_RESUME_WITHIN_S": "soon"},
        2,
        "ASSAY_RESUME_WITHIN_S",
    ),
    "an unknown load": (("accept", "nyc-1", "--reason", "why not"), {}, 2, "There is no load 'nyc-1'"),
    "an unknown suite": (("check", __file__, "--suite", "flight"), {}, 2, ".py file is none of"),
    "an unknown command": (("runn",), {}, 2, "Unknown command"),
}


@pytest.mark.parametrize("day", BAD_DAYS)
def test_bad_day_ends_with_one_message(world: World, day: str) -> None:
    words, extra, code, message = BAD_DAYS[day]

    done = world.assay(*words, **extra)

    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == code, said
    assert message in said
    assert "Traceback" not in said
    assert "hunter2" not in said
    assert "not-the-token" not in said
    assert world.query("SELECT count(*) FROM assay.publications") == [(0,)]


def test_commands_explain_themselves_and_an_empty_ledger(world: World) -> None:
    assert "nyc_flights" in world.assay("list").stdout
    assert "Nothing was loaded yet" in world.assay("status").stdout
    assert "--full-refresh" in world.assay("run", "--help").stdout


def test_check_judges_a_file(world: World, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.parquet"
    airlines = pl.DataFrame(
        {"carrier": ["UA", "AA"], "name": ["United", "American"], "updated_at": ["2013-01-01"] * 2}
    )
    airlines.write_csv(good)
    airlines.with_columns(carrier=pl.lit("UA")).write_parquet(bad)

    passed = world.assay("check", str(good), "--suite", "airlines")
    failed = world.assay("check", str(bad), "--suite", "airlines", "--json")

    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "2 rows, suite airlines: passed" in passed.stdout
    assert failed.returncode == 1
    found = json.loads(failed.stdout)
    assert not found["success"]
    assert {o["column"] for o in found["outcomes"] if o["state"] == "failed"} == {"carrier"}


@pytest.fixture
def bucket() -> Iterator[tuple[str, str]]:
    """Endpoint and name of a bucket on a real S3 server on loopback."""
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    _client(endpoint).create_bucket(Bucket="reports")
    yield endpoint, "reports"
    server.stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore.*")
def test_reports_go_to_s3_as_html(world: World, bucket: tuple[str, str]) -> None:
    endpoint, name = bucket
    world.control("clock", now="2013-01-02T00:00:00Z")

    done = world.assay(
        *("run", "nyc_flights", "--no-prefect", "-q"),
        ASSAY_REPORTS_URL=f"s3://{name}/assay",
        AWS_ENDPOINT_URL=endpoint,
        AWS_ACCESS_KEY_ID="key",
        AWS_SECRET_ACCESS_KEY="hunter2",
        AWS_DEFAULT_REGION="us-east-1",
    )

    assert done.returncode == 0, done.stderr
    client = _client(endpoint)
    keys = [item["Key"] for item in client.list_objects_v2(Bucket=name)["Contents"]]
    assert "assay/index.html" in keys
    assert sum(key.endswith("/weather.html") for key in keys) == 1
    types = {client.head_object(Bucket=name, Key=key)["ContentType"] for key in keys}
    assert types == {"text/html; charset=utf-8"}


def _client(endpoint: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  boto3 makes its classes as it runs
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="hunter2",
    )
