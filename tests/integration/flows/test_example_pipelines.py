"""The example pipelines, run whole by the command against what their APIs' documentation says they answer."""

import datetime as dt
import io
import json
import os
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
import pytest

from flows.catalog import pipeline_names
from flows.cli import app, exit_code
from tests.integration.tasks.extract.serving import Handler, serving

RECORDED = Path(__file__).with_name("recorded")
UTC = dt.UTC
EMPTY = {"type": "FeatureCollection", "metadata": {"count": 0}, "features": []}


class Examples:
    """One database and home; each pipeline's API is a server that plays its recorded answers."""

    def __init__(self, dsn: str, home: Path) -> None:
        self._env = {"ASSAY_DATABASE_URL": dsn, "ASSAY_HOME": str(home)}
        self._dsn = dsn
        self.asked: list[dict[str, str]] = []

    def run(self, name: str, answer: Callable[[Handler], None]) -> str:
        def respond(handler: Handler, _asked: int) -> None:
            self.asked.append(handler.query)
            answer(handler)

        out, err = io.StringIO(), io.StringIO()
        with serving(respond) as (url, _):
            env = os.environ | self._env | {f"ASSAY_BASE_URL_{name.upper()}": url}
            with (
                mock.patch.dict(os.environ, env, clear=True),
                mock.patch("tasks.helper._Child", side_effect=OSError("not wanted here")),
                redirect_stdout(out),
                redirect_stderr(err),
            ):
                words = ["run", name, "--no-prefect", "-q"]
                code = exit_code(lambda: app(words, result_action="return_value"))
        assert code == 0, err.getvalue()
        return out.getvalue()

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._dsn) as conn:
            return conn.execute(statement.encode()).fetchall()

    def quarantined(self, pipeline: str) -> int:
        return int(self.query(f"SELECT count(*) FROM assay.quarantine WHERE pipeline = '{pipeline}'")[0][0])


@pytest.fixture
def examples(dsn: str, home: Path) -> Examples:
    return Examples(dsn, home)


def read(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


def test_earthquakes_arrive_and_one_beyond_the_globe_does_not(examples: Examples) -> None:
    def answer(handler: Handler) -> None:
        is_first = handler.query["offset"] == "1"
        handler.send(read("usgs_earthquakes.json") if is_first else json.dumps(EMPTY).encode())

    examples.run("usgs_earthquakes", answer)
    rows = examples.query(
        "SELECT id, magnitude, depth_km, is_tsunami, occurred_at FROM earthquakes ORDER BY occurred_at"
    )
    assert [row[0] for row in rows] == ["us7000aaa1", "us7000aaa2", "us7000aaa3", "ak024bbb1"]
    assert rows[1][1:4] == (7.5, 10.0, True)
    assert rows[2][4] == dt.datetime(2024, 1, 1, 20, 13, 20, 123000, tzinfo=UTC)
    assert examples.quarantined("usgs_earthquakes") == 1
    assert examples.asked[0] | {"offset": "1", "limit": "5000"} == examples.asked[0]
    examples.run("usgs_earthquakes", lambda handler: handler.send_json(EMPTY))
    # The newest row that was published, less the lag, less the microsecond of an exclusive bound.
    assert examples.asked[-1]["updatedafter"] == "2024-07-14T22:33:20.040999Z"


def test_rates_arrive_exact_and_a_holiday_has_none(examples: Examples) -> None:
    examples.run("ecb_rates", lambda handler: handler.send(read("ecb_rates.csv"), Content_Type="text/csv"))
    rates = examples.query("SELECT time_period, currency, rate FROM exchange_rates ORDER BY currency, 1")
    assert rates[0] == (dt.date(2024, 1, 2), "JPY", Decimal("155.68"))
    assert [row[2] for row in rates[3:]] == [Decimal("1.0956"), Decimal("1.0919")]
    examples.run("ecb_rates", lambda handler: handler.send(read("ecb_rates.csv"), Content_Type="text/csv"))
    assert [query["startPeriod"] for query in examples.asked] == ["2024-01-01", "2023-12-25"]


def test_hours_arrive_once_they_are_known_and_an_impossible_one_does_not(examples: Examples) -> None:
    empty = json.loads(read("open_meteo.json"))
    empty["hourly"] = {name: [] for name in empty["hourly"]}

    def answer(handler: Handler) -> None:
        is_first = handler.query["start_date"] == "2023-01-01"
        handler.send(read("open_meteo.json")) if is_first else handler.send_json(empty)

    examples.run("open_meteo", answer)
    hours = examples.query("SELECT time, temp_c, humidity_pct FROM hourly_weather ORDER BY time")
    assert [hour[1] for hour in hours] == [12.1, 11.8, 11.5, None]
    assert hours[-1][0] == dt.datetime(2023, 1, 1, 4, tzinfo=UTC)
    assert examples.quarantined("open_meteo") == 1
    spans = sorted((query["start_date"], query["end_date"]) for query in examples.asked)
    assert spans[0] == ("2023-01-01", "2024-01-02")
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert spans[-1][1] == dt.datetime.now(UTC).date().isoformat()


def test_issues_arrive_page_by_page_and_then_what_changed(examples: Examples) -> None:
    pages = json.loads(read("github_issues.json"))

    def answer(handler: Handler) -> None:
        assert handler.headers["Authorization"] is None
        assert handler.headers["X-GitHub-Api-Version"] == "2022-11-28"
        page = int(handler.query.get("page", "1"))
        more = f'<http://{handler.headers["Host"]}{handler.route}?page={page + 1}>; rel="next"'
        handler.send_json(pages[page - 1], 200, **({"Link": more} if page < len(pages) else {}))

    examples.run("github_issues", answer)
    issues = examples.query("SELECT number, author, labels, is_pull_request FROM github_issues ORDER BY 1")
    assert issues == [
        (1, "ann", "enhancement", False),
        (2, None, "", True),
        (3, "bob", "3.13, bug", False),
    ]
    examples.run("github_issues", lambda handler: handler.send(b"[]"))
    assert examples.asked[-1]["since"] == "2024-11-01T08:29:59Z"


def test_every_example_has_a_recorded_answer() -> None:
    assert {file.stem for file in RECORDED.iterdir()} == {*pipeline_names()} - {"nyc_flights"}


def test_a_record_dated_9999_is_published_and_does_not_move_the_cursor(examples: Examples) -> None:
    collection = json.loads(read("usgs_earthquakes.json"))
    far, past = collection["features"][0], collection["features"][3]
    far["properties"]["updated"] = 253370764800000
    past["properties"]["time"], past["properties"]["updated"] = -62135510400000, -62135510399000

    def answer(handler: Handler) -> None:
        handler.send_json(collection if handler.query["offset"] == "1" else EMPTY)

    examples.run("usgs_earthquakes", answer)
    assert examples.query("SELECT count(*), max(updated) FROM earthquakes")[0] == (
        4,
        dt.datetime(9999, 1, 1, tzinfo=UTC),
    )
    assert examples.query("SELECT value FROM assay.cursors") == [("2024-07-14T23:33:20.041000Z",)]
    examples.run("usgs_earthquakes", answer)
    assert examples.asked[-1]["updatedafter"] == "2024-07-14T22:33:20.040999Z"
    assert examples.query("SELECT count(*) FROM earthquakes") == [(4,)]
