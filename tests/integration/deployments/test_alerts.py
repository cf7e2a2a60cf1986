"""From an event of a flow run to a message at a real receiver, through a real server's automations."""

import datetime as dt
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests

from deployments.local.prefect_server import PrefectServer
from tests.integration.deployments.webhook_receiver import Message, Receiver

HOSTILE = (
    'a "quoted" \\ back\\slash\n<script>alert(1)</script> <!channel> & é 😀 \u2028 '
    "{{ 7 * 7 }} {% raw %} {{ url }}"
)

EMITTER = """
import json, sys
from prefect import flow
from prefect.events import emit_event

@flow(name="ingest")
def ingest(events):
    for event in events:
        emit_event(**event)

ingest(json.load(sys.stdin))
"""


def expectation_event(name: str, expectation: str, **changes: Any) -> Message:
    """An event about a table, as tasks/publish/events.py makes it; `changes` go to the payload."""
    payload = {
        "text": f"demo.weather: {expectation} on wind_speed failed on 1 of 26,115 rows.",
        "pipeline": "demo",
        "table": "weather",
        "expectation": expectation,
        "column": "wind_speed",
        "severity": "critical",
        "state": "failed",
        "count": 1,
        "rows_seen": 26115,
        "examples": ["1048.36"],
        "report_url": "http://127.0.0.1/report?a=1&b=2",
        "run_url": "http://127.0.0.1/run",
        "load_id": "load-1",
        "attempt_no": 1,
    } | changes
    alert = payload.pop("alert", "first")
    return {
        "event": name,
        "resource": {
            "prefect.resource.id": "assay.table.demo.weather",
            "assay.pipeline": "demo",
            "assay.table": "weather",
            "assay.suite": "weather",
            "assay.expectation": expectation,
            "assay.column": "wind_speed",
            "assay.severity": payload["severity"],
            "assay.state": payload["state"],
            "assay.load": "load-1",
            "assay.alert": alert,
        },
        "payload": payload,
    }


def load_event(name: str, alert: str = "first") -> Message:
    """An event about a load."""
    return {
        "event": name,
        "resource": {
            "prefect.resource.id": "assay.pipeline.demo",
            "assay.pipeline": "demo",
            "assay.load": "load-1",
            "assay.alert": alert,
        },
        "payload": {"text": f"demo: {name}", "pipeline": "demo", "load_id": "load-1", "attempt_no": 1},
    }


FAILED = "assay.expectation.failed"
QUARANTINED = "assay.rows.quarantined"
SILENT = [
    expectation_event(FAILED, "silent_info", severity="info"),
    expectation_event(FAILED, "silent_repeat", alert="repeat"),
    expectation_event(QUARANTINED, "silent_info", severity="info", state="quarantined"),
    load_event("assay.load.blocked", alert="repeat"),
    load_event("assay.load.failed", alert="repeat"),
    load_event("assay.load.published"),
]
IN_ONE_INSTANT = [expectation_event(FAILED, f"expectation_{number}") for number in range(8)]
LOUD = [
    *IN_ONE_INSTANT,
    expectation_event(FAILED, "warned", severity="warning", state="error"),
    expectation_event(QUARANTINED, "diverted", state="quarantined", count=3),
    expectation_event(FAILED, "hostile", text=HOSTILE, examples=[HOSTILE, "{{"], column=None),
    load_event("assay.schema.changed"),
    load_event("assay.load.blocked"),
    load_event("assay.load.failed"),
    load_event("assay.load.recovered"),
]


@pytest.fixture(scope="module")
def alerts(prefect: PrefectServer, applied: None, receiver: Receiver) -> dict[str, list[Message]]:  # noqa: ARG001
    """What arrived of one flow run's events, by receiver; messages about other runs are left out."""
    subprocess.run(
        [sys.executable, "-c", EMITTER],
        input=json.dumps([*SILENT, *LOUD]),
        env=prefect.env,
        text=True,
        timeout=90,
        check=True,
    )
    for path in ("/slack", "/plain"):
        receiver.wait_for(path, len(LOUD))
    time.sleep(1.5)  # for what must not arrive
    return {path: receiver.wait_for(path, 0) for path in ("/slack", "/plain")}


def test_every_event_is_one_message_at_each_receiver(alerts: dict[str, list[Message]]) -> None:
    expected = sorted(event["payload"]["text"] for event in LOUD)
    assert sorted(message["text"] for message in alerts["/plain"]) == expected
    assert len(alerts["/slack"]) == len(LOUD)
    assert len({message["event_id"] for message in alerts["/plain"]}) == len(LOUD)


def test_info_and_repeated_alerts_do_not_arrive(alerts: dict[str, list[Message]]) -> None:
    everything = json.dumps(alerts)
    assert "silent" not in everything
    assert "assay.load.published" not in everything


def test_plain_message_has_all_fields(alerts: dict[str, list[Message]]) -> None:
    message = dict(next(m for m in alerts["/plain"] if m["expectation"] == "diverted"))
    event = next(e for e in LOUD if e["payload"].get("expectation") == "diverted")
    uuid.UUID(message.pop("event_id"))
    dt.datetime.fromisoformat(message.pop("occurred"))
    assert message == {
        "event": QUARANTINED,
        "resource": "assay.table.demo.weather",
        "suite": None,
        "message": None,
        "status": None,
        "error": None,
        "change": None,
        "statement": None,
        **event["payload"],
    }


def test_slack_message_has_text_run_and_event_only(alerts: dict[str, list[Message]]) -> None:
    plain = next(m for m in alerts["/plain"] if m["expectation"] == "warned")
    assert {"text": f"{plain['text']}\nRun: http://127.0.0.1/run\nEvent: {plain['event_id']}"} in alerts[
        "/slack"
    ]


def test_hostile_values_arrive_as_they_are(alerts: dict[str, list[Message]]) -> None:
    message = next(m for m in alerts["/plain"] if m["expectation"] == "hostile")
    assert message["text"] == HOSTILE
    assert message["examples"] == [HOSTILE, "{{"]
    assert message["column"] is None


def test_hostile_values_call_nobody_in_slack(alerts: dict[str, list[Message]]) -> None:
    text = next(m["text"] for m in alerts["/slack"] if "quoted" in m["text"])
    escaped = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert text.startswith(escaped)


def test_messages_arrive_as_json_within_seconds(
    alerts: dict[str, list[Message]], receiver: Receiver, record_property: Callable[[str, object], None]
) -> None:
    assert alerts
    assert {kind for lines in receiver.arrived.values() for _, kind, _ in lines} == {"application/json"}
    delays = sorted(
        at - dt.datetime.fromisoformat(message["occurred"]).timestamp()
        for at, _, message in receiver.arrived["/plain"]
    )
    record_property("event_to_receipt_s", delays)
    print(f"event to receipt: first {delays[0]:.2f} s, last of {len(delays)} {delays[-1]:.2f} s")
    assert delays[0] < 10


def test_address_is_secret_in_the_api_and_absent_from_the_log(
    prefect: PrefectServer, alerts: dict[str, list[Message]], receiver: Receiver
) -> None:
    assert alerts
    blocks = requests.post(f"{prefect.api_url}/block_documents/filter", json={}, timeout=10).text
    assert receiver.url not in blocks
    assert receiver.url not in prefect.log.read_text(errors="replace")
