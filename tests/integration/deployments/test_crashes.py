"""Runs that cannot speak for themselves: killed, or gone with their machine."""

import datetime as dt
import time
import uuid

import pytest
import requests

from deployments.local.prefect_server import PrefectServer
from tests.integration.deployments.webhook_receiver import Message, Receiver

PATIENCE_S = 40.0


def start_run(prefect: PrefectServer) -> str:
    """A run of the flow `ingest`, in state Running, that no process works at."""

    def post(path: str, body: Message) -> Message:
        response = requests.post(f"{prefect.api_url}/{path}", json=body, timeout=10)
        response.raise_for_status()
        answer: Message = response.json()
        return answer

    flow = post("flows/", {"name": "ingest"})
    run = post("flow_runs/", {"flow_id": flow["id"], "state": {"type": "PENDING"}})
    post(f"flow_runs/{run['id']}/set_state", {"state": {"type": "RUNNING"}})
    return str(run["id"])


def set_state(prefect: PrefectServer, run: str, state: str) -> None:
    requests.post(
        f"{prefect.api_url}/flow_runs/{run}/set_state",
        json={"state": {"type": state, "message": "killed"}},
        timeout=10,
    ).raise_for_status()


def read_state(prefect: PrefectServer, run: str) -> str:
    response = requests.get(f"{prefect.api_url}/flow_runs/{run}", timeout=10)
    return str(response.json()["state_type"])


@pytest.mark.usefixtures("applied")
def test_a_killed_run_is_told_of(prefect: PrefectServer, receiver: Receiver) -> None:
    before = len(receiver.wait_for("/plain", 0))
    set_state(prefect, start_run(prefect), "CRASHED")
    message = receiver.wait_for("/plain", before + 1)[-1]
    assert message["event"] == "prefect.flow-run.Crashed"
    assert message["text"].endswith("crashed. killed")
    assert message["resource"].startswith("prefect.flow-run.")


@pytest.mark.usefixtures("applied")
def test_a_run_without_heartbeat_is_marked_crashed(prefect: PrefectServer) -> None:
    shorten_patience(prefect, "assay: run lost", within_s=10)
    lost, finished = start_run(prefect), start_run(prefect)
    for run in (lost, finished):
        send_heartbeat(prefect, run)
    set_state(prefect, finished, "COMPLETED")
    deadline = time.monotonic() + PATIENCE_S
    while read_state(prefect, lost) == "RUNNING" and time.monotonic() < deadline:
        time.sleep(0.25)
    assert read_state(prefect, lost) == "CRASHED"
    assert read_state(prefect, finished) == "COMPLETED"


def shorten_patience(prefect: PrefectServer, name: str, within_s: float) -> None:
    found = requests.post(f"{prefect.api_url}/automations/filter", json={}, timeout=10).json()
    automation = next(a for a in found if a["name"] == name)
    automation["trigger"]["within"] = within_s
    changed = {
        key: automation[key] for key in ("name", "description", "trigger", "actions", "enabled", "tags")
    }
    url = f"{prefect.api_url}/automations/{automation['id']}"
    requests.put(url, json=changed, timeout=10).raise_for_status()
    time.sleep(2)  # the server takes it up after it has answered


def send_heartbeat(prefect: PrefectServer, run: str) -> None:
    event = {
        "id": str(uuid.uuid4()),
        "occurred": dt.datetime.now(dt.UTC).isoformat(),
        "event": "prefect.flow-run.heartbeat",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run}"},
        "related": [
            {
                "prefect.resource.id": f"prefect.flow.{uuid.uuid4()}",
                "prefect.resource.role": "flow",
                "prefect.resource.name": "ingest",
            }
        ],
    }
    requests.post(f"{prefect.api_url}/events", json=[event], timeout=10).raise_for_status()
