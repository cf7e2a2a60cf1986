"""`python deployments/apply.py` and `prefect deploy --all` against a real server, as a person runs them."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployments.local.prefect_server import PrefectServer
from tests.integration.deployments.rest import Api

PROJECT = Path(__file__).parents[3]
SLACK = {"ASSAY_ALERT_SLACK_URL": "http://127.0.0.1:9/services/T0/B0/hidden"}
BOTH = SLACK | {"ASSAY_ALERT_WEBHOOK_URL": "http://127.0.0.1:9/hidden"}
BLOCKS = ["assay-alerts-slack", "assay-alerts-webhook"]
ALERTS = [
    "assay: expectation failed",
    "assay: rows quarantined",
    "assay: columns changed",
    "assay: load blocked",
    "assay: load failed",
    "assay: load recovered",
    "assay: run crashed",
]
LOST = "assay: run lost"
PATIENCE_S = 30.0

Apply = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def api(prefect: PrefectServer) -> Iterator[Api]:
    """The API of a server without anything of assay's on it."""
    bare = Api(prefect.api_url)
    bare.clear()
    yield bare
    bare.clear()


def outcomes(done: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    """Outcome of each thing by its name, from what was printed."""
    assert done.returncode == 0, done.stderr
    assert "hidden" not in done.stdout + done.stderr
    return {line[23:].partition(" (")[0]: line.split()[0] for line in done.stdout.splitlines()}


def test_applied_to_a_bare_server_again_and_again(api: Api, apply: Apply) -> None:
    """One story, since each step starts from the last one's end."""
    done = apply()
    assert [name for name, outcome in outcomes(done).items() if outcome == "created"] == ["assay", LOST]
    assert [name for name, outcome in outcomes(done).items() if outcome == "skipped"] == [*BLOCKS, *ALERTS]
    assert "set ASSAY_ALERT_SLACK_URL" in done.stdout
    assert "set ASSAY_ALERT_WEBHOOK_URL" in done.stdout
    assert [automation["name"] for automation in api.automations()] == [LOST]

    created = [name for name, outcome in outcomes(apply(**SLACK)).items() if outcome == "created"]
    assert created == [BLOCKS[0], *ALERTS]

    switch_off(api, "assay: load blocked")
    double(api, "assay: load failed")
    done = apply(**BOTH)
    assert [name for name, outcome in outcomes(done).items() if outcome == "updated"] == ALERTS
    assert done.stdout.count("removed ") == 1
    assert done.stdout.count("(switched off by a person)") == 1
    assert [a["name"] for a in api.automations() if not a["enabled"]] == ["assay: load blocked"]
    assert all(len(a["actions"]) == len(BLOCKS) for a in api.automations() if a["name"] != LOST)

    before = api.automations()
    assert set(outcomes(apply(**BOTH)).values()) == {"unchanged"}
    assert set(outcomes(apply()).values()) == {"unchanged"}
    assert api.automations() == before
    assert [automation["name"] for automation in before] == sorted([*ALERTS, LOST])
    assert api.blocks() == BLOCKS
    (pool,) = (pool for pool in api.find("work_pools") if pool["name"] == "assay")
    assert (pool["type"], pool["concurrency_limit"]) == ("process", 4)


def switch_off(api: Api, name: str) -> None:
    automation = next(a for a in api.automations() if a["name"] == name)
    api.call("PATCH", f"automations/{automation['id']}", enabled=False)


def double(api: Api, name: str) -> None:
    automation = next(a for a in api.automations() if a["name"] == name)
    keys = ("name", "description", "trigger", "actions", "enabled", "tags")
    api.call("POST", "automations/", **{key: automation[key] for key in keys})


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PREFECT_API_URL": "http://127.0.0.1:9/api"}, "does not answer"),
        ({"PREFECT_API_URL": ""}, "No Prefect server is configured"),
        ({"ASSAY_ALERT_SLACK_URL": "hooks.example/hidden"}, "ASSAY_ALERT_SLACK_URL: is not an http"),
    ],
)
def test_what_is_wrong_is_one_line_on_stderr(apply: Apply, variables: dict[str, str], words: str) -> None:
    done = apply(**variables)
    assert done.returncode == 1
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert "hidden" not in done.stderr


def test_deployed_schedule_makes_runs_by_itself(
    api: Api, apply: Apply, prefect: PrefectServer, tmp_path: Path
) -> None:
    """Guards the pins on FastAPI and SQLAlchemy: with others this fails while all looks healthy."""
    apply()
    shutil.copy(
        PROJECT / "prefect.yaml", tmp_path
    )  # elsewhere: the code is found without the checkout's folder
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=tmp_path,
        env=prefect.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (deployment,) = (d for d in api.find("deployments") if d["name"] == "nyc-flights")
    assert deployment["pull_steps"] == []
    assert deployment["global_concurrency_limit"]["limit"] == 1
    assert deployment["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    deadline = time.monotonic() + PATIENCE_S
    while not (states := scheduled_states(api, deployment["id"])) and time.monotonic() < deadline:
        time.sleep(0.25)
    assert states == {"SCHEDULED"}


def scheduled_states(api: Api, deployment_id: str) -> set[str]:
    runs = api.call("POST", "flow_runs/filter", flow_runs={"deployment_id": {"any_": [deployment_id]}})
    return {run["state_type"] for run in runs}
