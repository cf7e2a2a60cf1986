"""What tells the server that a run is alive, and the automation that it is lost when it no longer comes."""

import threading
import time
import uuid
from typing import Any

import pytest
from prefect import Flow
from prefect.client.schemas.objects import FlowRun
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)

from deployments.local.prefect_server import PrefectServer
from flows.heartbeats import _beat, prompt_heartbeats
from tests.integration.deployments.rest import Api

PATIENCE_S = 40.0


class Seen:
    """A flow that looks at its surroundings."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.of_prefect: int | None = None
        self.flow = Flow(self.look, name="ingest")

    def look(self, pipeline: str) -> str:
        self.threads = [each for each in threading.enumerate() if each.name == "heartbeats"]
        self.of_prefect = PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value()
        return pipeline


def settings(prefect: PrefectServer) -> dict[Any, Any]:
    return {PREFECT_API_URL: prefect.api_url, PREFECT_LOGGING_TO_API_ENABLED: False}


def find_heartbeats(prefect: PrefectServer, pipeline: str) -> list[dict[str, Any]]:
    wanted = {"event": {"name": ["prefect.flow-run.heartbeat"]}}
    found = Api(prefect.api_url).call("POST", "events/filter", filter=wanted)["events"]
    return [event for event in found if event["resource"].get("prefect.resource.name") == pipeline]


def test_a_run_is_heard_of_and_falls_silent_at_its_end(prefect: PrefectServer) -> None:
    seen = Seen()
    with temporary_settings(settings(prefect)), prompt_heartbeats(seen.flow) as flow:
        assert flow("heard_of") == "heard_of"
    assert seen.of_prefect is None  # else its thread beats as well, and keeps the run waiting
    (thread,) = seen.threads
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    deadline = time.monotonic() + PATIENCE_S
    while not (events := find_heartbeats(prefect, "heard_of")) and time.monotonic() < deadline:
        time.sleep(0.25)
    (event,) = events
    (its_flow,) = [one for one in event["related"] if one["prefect.resource.role"] == "flow"]
    assert event["resource"]["prefect.resource.id"].startswith("prefect.flow-run.")
    assert its_flow["prefect.resource.name"] == "ingest"


def test_no_heartbeats_where_prefect_is_to_send_none(prefect: PrefectServer) -> None:
    seen = Seen()
    none = settings(prefect) | {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    with temporary_settings(none), prompt_heartbeats(seen.flow) as flow:
        flow("silent")
    assert seen.threads == []


def test_heartbeats_go_on_until_the_run_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    is_over = threading.Event()

    def hear(event: str, *_: Any, **__: Any) -> None:
        heard.append(event)
        if len(heard) == 3:
            is_over.set()

    monkeypatch.setattr("flows.heartbeats.emit_event", hear)
    run = FlowRun(flow_id=uuid.uuid4(), parameters={"pipeline": "lasting"})
    _beat(Seen().flow, run, 0.01, is_over)
    assert heard == 3 * ["prefect.flow-run.heartbeat"]
