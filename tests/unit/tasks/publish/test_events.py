"""Events: what automations match, and what people read."""

import datetime as dt
from collections.abc import Callable, Sequence

import msgspec
import pytest

from tasks.handover import Event, ExpectationOutcome, LoadReport, SchemaChange
from tasks.publish.events import events_of

MakeReport = Callable[..., LoadReport]
Outcomes = tuple[ExpectationOutcome, ...]
LINKS = {"index": "https://r.test/i", "load": "https://r.test/l", "weather": "https://r.test/w"}


def named(events: Sequence[Event], name: str) -> list[Event]:
    return [event for event in events if event.name == name]


def test_blocked_load_has_an_event_for_each_failure_and_one_for_itself(make_report: MakeReport) -> None:
    events = events_of(make_report("blocked"), LINKS)
    assert [event.name for event in events].count("assay.expectation.failed") == 4
    assert len(named(events, "assay.rows.quarantined")) == 1
    assert events[-1].name == "assay.load.blocked"
    assert events[-1].resource_id == "assay.pipeline.weather"
    assert events[-1].labels == {
        "assay.pipeline": "weather",
        "assay.load": "weather-20260308T030405-1f9c2e",
        "assay.alert": "first",
    }


def test_failure_carries_labels_to_match_and_a_payload_to_read(make_report: MakeReport) -> None:
    events = events_of(make_report("blocked"), LINKS)
    event = next(event for event in events if event.labels.get("assay.column") == "origin")
    assert event.resource_id == "assay.table.weather.weather"
    assert event.labels == {
        "assay.pipeline": "weather",
        "assay.table": "weather",
        "assay.suite": "weather",
        "assay.expectation": "expect_column_values_to_be_in_set",
        "assay.column": "origin",
        "assay.severity": "critical",
        "assay.state": "failed",
        "assay.load": "weather-20260308T030405-1f9c2e",
        "assay.alert": "first",
    }
    payload = event.payload
    assert (payload["count"], payload["rows_seen"], payload["examples"]) == (1, 48, ["JKF"])
    assert payload["report_url"] == "https://r.test/w"
    assert payload["run_url"] == "http://127.0.0.1:4200/runs/flow-run/6f7d"
    assert (payload["load_id"], payload["attempt_no"]) == ("weather-20260308T030405-1f9c2e", 1)
    assert payload["text"].splitlines()[:3] == [
        "weather.weather: expect_column_values_to_be_in_set on origin failed on 1 of 48 rows.",
        "Severity critical: blocks the load, nothing of it is published.",
        "Examples: JKF",
    ]
    assert "assay accept weather-20260308T030405-1f9c2e" in payload["text"]


def test_expectation_without_column_is_labelled_with_a_dash(make_report: MakeReport) -> None:
    columns = [event.labels.get("assay.column") for event in events_of(make_report("blocked"), {})]
    assert columns.count("-") == 1


def test_error_is_a_failure_with_its_own_state(make_report: MakeReport) -> None:
    failed = named(events_of(make_report("blocked"), LINKS), "assay.expectation.failed")
    error = next(event for event in failed if event.labels["assay.state"] == "error")
    assert "could not be evaluated" in error.payload["text"]
    assert "does not exist" in error.payload["text"]


def test_rows_quarantined_before_are_no_event(make_report: MakeReport) -> None:
    report = make_report("published")
    tables = tuple(msgspec.structs.replace(table, newly_quarantined=0) for table in report.tables)
    assert named(events_of(report, LINKS), "assay.rows.quarantined")
    assert not named(
        events_of(msgspec.structs.replace(report, tables=tables), LINKS), "assay.rows.quarantined"
    )


def test_repeated_failure_is_labelled_repeat(make_report: MakeReport, weather_outcomes: Outcomes) -> None:
    told = tuple(msgspec.structs.replace(outcome, alert=False) for outcome in weather_outcomes)
    events = events_of(make_report("blocked", outcomes=told, alert=False), LINKS)
    assert {event.labels["assay.alert"] for event in events} == {"repeat"}


def test_new_failure_in_a_repeated_block_is_still_first(
    make_report: MakeReport, weather_outcomes: Outcomes
) -> None:
    events = events_of(make_report("blocked", outcomes=weather_outcomes, alert=False), LINKS)
    assert {event.labels["assay.alert"] for event in events[:-1]} == {"first"}
    assert events[-1].labels["assay.alert"] == "repeat"


def test_recovery_is_an_event_beside_the_publication(make_report: MakeReport) -> None:
    events = events_of(make_report("published", recovered=True), LINKS)
    assert [event.name for event in events[-2:]] == ["assay.load.published", "assay.load.recovered"]
    assert events[-1].payload["text"].startswith("weather: Recovered. Published: 27,315 inserted")


def test_failed_load_tells_its_error(make_report: MakeReport) -> None:
    (event,) = events_of(make_report("failed"), LINKS)
    assert event.name == "assay.load.failed"
    assert "401 Unauthorized" in event.payload["text"]
    assert "assay run weather" in event.payload["text"]


def test_no_new_rows_is_no_event(make_report: MakeReport) -> None:
    assert events_of(make_report("no new rows"), LINKS) == []


@pytest.mark.parametrize("status", ["published", "blocked", "failed"])
def test_labels_are_never_empty_and_payloads_are_bounded_json(
    make_report: MakeReport, weather_outcomes: Outcomes, status: str
) -> None:
    wild = tuple(
        msgspec.structs.replace(
            outcome,
            column=" ",
            examples=tuple("\u202e\x00\n" + "x" * 10_000 for _ in range(20)),
            message="m\n" * 10_000,
        )
        for outcome in weather_outcomes
    )
    report = make_report(
        status, outcomes=wild, error="e\n" * 50_000, ended_at=dt.datetime(2026, 3, 9, tzinfo=dt.UTC)
    )
    for event in events_of(report, {}):
        assert all(isinstance(value, str) and value for value in event.labels.values())
        assert len(msgspec.json.encode(event)) < 8_000
        assert "\x00" not in event.payload["text"]
        assert "\u202e" not in event.payload["text"]
        assert len(event.payload["text"].splitlines()) < 10


def test_a_changed_column_is_an_event_with_its_types(make_report: MakeReport) -> None:
    change = SchemaChange(
        table="weather",
        kind="column widened",
        column="temp",
        before="integer",
        after="bigint",
        statement="ALTER",
    )
    report = msgspec.structs.replace(make_report("published"), schema_changes=(change,))
    [event] = named(events_of(report, LINKS), "assay.schema.changed")
    assert event.resource_id == "assay.table.weather.weather"
    assert (event.labels["assay.column"], event.labels["assay.change"]) == ("temp", "column widened")
    assert event.payload["text"] == "weather.weather: column widened: temp (integer to bigint)"
