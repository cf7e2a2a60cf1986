"""automations.yaml: closed against typing errors, and about the events that are really emitted."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.events.schemas.events import ResourceSpecification

from deployments.declaration import AUTOMATIONS, Declaration, read_declaration
from tasks.errors import ConfigurationError
from tasks.handover import ExpectationOutcome, LoadReport, SchemaChange, TableCounts
from tasks.publish.events import events_of

Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    loaded: Document = yaml.safe_load(AUTOMATIONS.read_text(encoding="utf-8"))
    return loaded


def read(document: Document, folder: Path) -> Declaration:
    path = folder / "automations.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return read_declaration(path)


def test_the_file_is_valid() -> None:
    assert {"alert_slack_url", "alert_webhook_url"} == set(read_declaration().receivers)


@pytest.mark.parametrize("wrong", ["expects", "matches", "thresold", "for_eahc"])
def test_a_mistyped_key_of_a_trigger_is_refused_that_prefect_would_ignore(
    document: Document, tmp_path: Path, wrong: str
) -> None:
    document["automations"][0]["trigger"][wrong] = 1
    with pytest.raises(ConfigurationError, match=wrong):
        read(document, tmp_path)


def test_a_receiver_without_a_setting_is_refused(document: Document, tmp_path: Path) -> None:
    document["receivers"]["alert_pager_url"] = document["receivers"]["alert_slack_url"]
    with pytest.raises(ConfigurationError, match="alert_pager_url"):
        read(document, tmp_path)


def test_two_automations_of_one_name_are_refused(document: Document, tmp_path: Path) -> None:
    document["automations"].append(document["automations"][0])
    with pytest.raises(ConfigurationError, match="same name"):
        read(document, tmp_path)


def test_triggers_match_events_and_labels_that_loads_emit() -> None:
    emitted: dict[str, set[str]] = {}
    for status in ("published", "blocked", "failed"):
        for event in events_of(make_report(status=status, recovered=status == "published"), {}):
            emitted.setdefault(event.name, set()).update(event.labels)
    for automation in read_declaration().automations:
        trigger = automation.trigger
        for name in (name for name in trigger.expect if name.startswith("assay.")):
            assert isinstance(trigger.match, ResourceSpecification)
            assert set(trigger.match.root) <= emitted[name], automation.name


def make_report(**changes: Any) -> LoadReport:
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    counts = {name: 1 for name in TableCounts.__struct_fields__ if name not in {"table", "verdict"}}
    return LoadReport(
        pipeline="demo",
        load_id="load-1",
        attempt_no=1,
        started_at=at,
        ended_at=at,
        tables=(TableCounts(table="weather", verdict="warned", **counts),),
        outcomes=tuple(make_outcome(state) for state in ("failed", "quarantined")),
        schema_changes=(
            SchemaChange(
                table="weather",
                kind="column added",
                column="gust",
                before=None,
                after="bigint",
                statement="ALTER TABLE …",
            ),
        ),
        **changes,
    )


def make_outcome(state: Any) -> ExpectationOutcome:
    return ExpectationOutcome(
        table="weather",
        suite="weather",
        expectation="expect_column_values_to_be_between",
        identity="1",
        column="wind_speed",
        severity="warning",
        seen="clean",
        state=state,
        blocks=False,
        rows_seen=10,
        unexpected_count=1,
    )
