"""Reports as the ledger hands them out, with results that Great Expectations itself produced."""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from typing import Any

import msgspec
import polars as pl
import pytest

from expectations.engine import validate_frame  # it imports GX where warnings are errors, so it is the first

# isort: split
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.row_conditions import Column

from tasks.handover import ExpectationOutcome, LoadReport, State, TableCounts

HOSTILE = "<script>alert(1)</script>"
HOSTILE_COLUMN = "<script>alert(2)</script>"
STARTED = dt.datetime(2026, 3, 8, 3, 4, 5, tzinfo=dt.UTC)

MakeReport = Callable[..., LoadReport]


def validate(
    columns: dict[str, list[Any]], suite: Sequence[ExpectationConfiguration]
) -> list[dict[str, Any]]:
    """GX's results as JSON, in the suite's order."""
    expectations = ExpectationSuite("weather", expectations=[config.to_domain_obj() for config in suite])
    validated = validate_frame(pl.DataFrame(columns), expectations)
    results: list[dict[str, Any]] = json.loads(
        json.dumps([result.to_json_dict() for result in validated.results])
    )
    return results


def as_outcome(result: dict[str, Any], table: str, rows: int) -> ExpectationOutcome:
    """What the gate makes of a result; a stand-in that quarantines whatever the meta allows."""
    config, found = result["expectation_config"], result["result"]
    infos = result["exception_info"]
    raised = [
        i for i in ([infos] if "raised_exception" in infos else infos.values()) if i["raised_exception"]
    ]
    state: State = "passed" if result["success"] else "failed"
    if raised:
        state = "error"
    elif state == "failed" and config["meta"].get("quarantine"):
        state = "quarantined"
    severity = config.get("severity", "critical")
    return ExpectationOutcome(
        table=table,
        suite=table,
        expectation=config["type"],
        identity=f"{config['type']}-{config['kwargs'].get('column')}",
        column=config["kwargs"].get("column"),
        severity=severity,
        seen="remaining" if config["meta"].get("quarantine") else "clean",
        state=state,
        blocks=severity == "critical" and state in {"failed", "error"},
        rows_seen=found.get("element_count", rows),
        unexpected_count=found.get("unexpected_count", 0),
        examples=tuple(str(value) for value in found.get("partial_unexpected_list", ())),
        message=raised[0]["exception_message"] if raised else None,
        result=result,
    )


def expect(type_: str, /, *, severity: str = "critical", **rest: Any) -> ExpectationConfiguration:
    """An expectation of a suite file: `meta`, `notes` and `description` apart, the rest are its arguments."""
    own = {name: rest.pop(name) for name in ("meta", "notes", "description") if name in rest}
    return ExpectationConfiguration(
        type=f"expect_{type_}", kwargs=rest, severity=FailureSeverity(severity), **own
    )


WEATHER = [
    expect("table_row_count_to_be_between", min_value=1, max_value=50_000),
    expect("table_columns_to_match_set", column_set=["origin", "time_hour", "wind_speed"], exact_match=False),
    expect("column_values_to_not_be_null", column="origin"),
    expect("column_values_to_be_in_set", column="origin", value_set=["EWR", "JFK", "LGA"]),
    expect("compound_columns_to_be_unique", column_list=["origin", "time_hour"]),
    expect(
        "column_values_to_be_between",
        column="wind_speed",
        min_value=0,
        max_value=100,
        meta={"quarantine": {"max_rows": 100}},
        notes="EWR sent 1,048 mph on 2013-02-12.",
    ),
    expect("column_mean_to_be_between", column="temp", min_value=30, max_value=60, severity="warning"),
    expect("column_values_to_match_regex", column="station", regex="^K[A-Z]{3}$"),
    expect("column_values_to_not_be_null", column="visib", severity="info"),
]
HOSTILE_SUITE = [
    expect(
        "column_values_to_be_in_set",
        column="tailnum",
        value_set=["N1", "<script>alert(3)</script>"],
        meta={"notes": "<script>alert(4)</script>"},
        notes="<script>alert(5)</script>",
    ),
    expect("column_values_to_match_regex", column="tailnum", regex="^N<script>alert(6)</script>"),
    expect("column_values_to_be_between", column=HOSTILE_COLUMN, min_value=0, max_value=1),
    expect("column_pair_values_to_be_equal", column_A="id", column_B=HOSTILE_COLUMN),
    expect("compound_columns_to_be_unique", column_list=["id", HOSTILE_COLUMN]),
    expect("column_distinct_values_to_be_in_set", column="tailnum", value_set=["N1"]),
    expect("table_columns_to_match_set", column_set=["<script>alert(7)</script>"]),
    expect("column_values_to_be_unique", column="<script>alert(8)</script>"),
    expect("column_values_to_not_be_null", column="tailnum", description="<script>alert(9)</script> $x"),
    expect(
        "column_values_to_not_be_null",
        column="tailnum",
        row_condition=Column("tailnum") != "<script>alert(10)</script>",
    ),
]


@pytest.fixture(scope="session")
def weather_outcomes() -> tuple[ExpectationOutcome, ...]:
    rows = 48
    columns: dict[str, list[Any]] = {
        "origin": ["EWR", "JFK", "LGA", "JKF"] + ["EWR"] * (rows - 4),
        "time_hour": [*range(rows - 1), rows - 2],
        "wind_speed": [1048.36058, None, *(float(hour % 30) for hour in range(rows - 2))],
        "temp": [28.0] * rows,
        "visib": [10.0] * rows,
    }
    return tuple(as_outcome(result, "weather", rows) for result in validate(columns, WEATHER))


@pytest.fixture(scope="session")
def hostile_outcomes() -> tuple[ExpectationOutcome, ...]:
    columns: dict[str, list[Any]] = {
        "id": [1, 2, 2, 4],
        "tailnum": ["N1", HOSTILE, "a|b `x` **bold** [l](javascript:alert(1))\n| x | y |", None],
        HOSTILE_COLUMN: [1.0, 2.0, 2.0, 5.5],
    }
    return tuple(as_outcome(result, "planes", 4) for result in validate(columns, HOSTILE_SUITE))


def count_table(table: str, outcomes: Sequence[ExpectationOutcome] = (), **changes: Any) -> TableCounts:
    """Counts of a clean table of 26,115 rows, with `changes`."""
    clean = TableCounts(
        table=table,
        verdict="passed",
        received=26_115,
        rejected=0,
        superseded=3,
        quarantined=0,
        newly_quarantined=0,
        inserted=26_112,
        updated=0,
        unchanged=0,
        expectations=len(outcomes),
        expectations_passed=sum(o.state in {"passed", "quarantined"} for o in outcomes),
    )
    return msgspec.structs.replace(clean, **changes)


@pytest.fixture(scope="session")
def make_report(weather_outcomes: tuple[ExpectationOutcome, ...]) -> MakeReport:
    """A report by its status, with `changes`; a blocked one has the weather's failures."""
    passed = tuple(o for o in weather_outcomes if o.state in {"passed", "quarantined"})
    nothing: dict[str, Any] = {"verdict": "blocked", "inserted": 0}
    parts: dict[str, dict[str, Any]] = {
        "published": {
            "tables": (
                count_table("weather", passed, quarantined=1, newly_quarantined=1, inserted=26_111),
                count_table("flights", received=336_776, inserted=1_204, updated=37, unchanged=335_535),
            ),
            "outcomes": passed,
            "reports": {"daily_weather": 365, "daily_delays": 5_840},
        },
        "blocked": {
            "tables": (
                count_table("weather", weather_outcomes, quarantined=1, newly_quarantined=1, **nothing),
                count_table("flights", received=336_776, inserted=0),
            ),
            "outcomes": weather_outcomes,
        },
        "failed": {
            "error": "weather: 401 Unauthorized from https://api.example.test/weather?page=3.\n"
            "The API refused the token. Set ASSAY_SECRET_WEATHER_TOKEN, then run again."
        },
        "no new rows": {"tables": (count_table("weather", verdict="no new rows", received=0, inserted=0),)},
    }

    def make(status: str, **changes: Any) -> LoadReport:
        facts: dict[str, Any] = {
            "pipeline": "weather",
            "load_id": "weather-20260308T030405-1f9c2e",
            "attempt_no": 1,
            "status": status,
            "started_at": STARTED,
            "ended_at": STARTED + dt.timedelta(seconds=12.4),
            "run_url": "http://127.0.0.1:4200/runs/flow-run/6f7d",
        }
        return LoadReport(**(facts | parts[status] | changes))

    return make


class Page(HTMLParser):
    """What a browser makes of a page: its elements, and the text that a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._is_hidden = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._is_hidden = tag in {"style", "title"}

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._is_hidden = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._is_hidden else data

    def links(self) -> list[str]:
        """Every address that a browser could follow or load."""
        return [
            value
            for _, attrs in self.elements
            for name, value in attrs.items()
            if name in {"href", "src"} and value
        ]


@pytest.fixture(scope="session")
def read_page() -> Callable[[str], Page]:
    return Page
