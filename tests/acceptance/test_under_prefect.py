"""Deployed to a work pool and run by a worker: what people see in Prefect, and what they are alerted of.

One story: a good load, a block, the same block again, a person's decision. The tests state what was true.
"""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from psycopg import sql

from deployments.local.api.server import DemoApi
from deployments.local.prefect_server import PrefectServer
from tests.acceptance.conftest import World
from tests.acceptance.source import hash_tables
from tests.acceptance.test_blocked import BROKEN_HOURS, break_weather
from tests.integration.deployments.rest import Api
from tests.integration.deployments.webhook_receiver import Message, Receiver, webhook_receiver

PROJECT = Path(__file__).parents[2]
DEPLOYMENT = "ingest/nyc-flights"
SCRIPT = "<script>alert(1)</script>"
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@dataclass
class Story:
    """What was seen."""

    world: World
    server: PrefectServer
    runs: list[dict[str, Any]]
    hashes: list[dict[str, str]]
    messages: list[list[Message]]
    slack: list[Message]
    artifacts: list[dict[str, Any]]
    task_names: set[str]
    token: str
    worker_log: Path


@pytest.fixture(scope="module")
def story(
    module_dsn: str, tmp_path_factory: pytest.TempPathFactory, prefect: PrefectServer
) -> Iterator[Story]:
    token = f"secret-{uuid.uuid4().hex}"
    folder = tmp_path_factory.mktemp("under-prefect")
    with DemoApi(token, clock="2013-02-20T00:00:00Z") as api, webhook_receiver() as receiver:
        prefect_env = {k: v for k, v in prefect.env.items() if k.startswith("PREFECT_")}
        world = World(module_dsn, folder / "assay", api, prefect_env)
        rest = Api(prefect.api_url)
        _python(world, "deployments/apply.py", ASSAY_ALERT_WEBHOOK_URL=f"{receiver.url}/plain")
        _python(world, "deployments/apply.py", ASSAY_ALERT_SLACK_URL=f"{receiver.url}/slack")
        _python(world, "-m", "prefect", "--no-prompt", "deploy", "--all")
        rest.pause_schedules()
        with _worker(world, folder / "worker.log"):
            story = _tell(world, prefect, rest, receiver, token)
        yield story
        rest.clear()


def _tell(world: World, server: PrefectServer, rest: Api, receiver: Receiver, token: str) -> Story:
    story = Story(world, server, [], [], [], [], [], set(), token, world.home.parent / "worker.log")

    def run() -> None:
        story.runs.append(_run_deployment(world, rest))
        story.hashes.append(hash_tables(world.dsn))
        story.messages.append(_settled(receiver))

    run()
    break_weather(world)
    world.control("correct", resource="airlines", ids=[2], set={"name": SCRIPT})
    run()
    run()
    load_id = world.query("SELECT load_id FROM assay.loads WHERE status = 'blocked'")[0][0]
    assert world.assay("accept", load_id, "--reason", "a drill").returncode == 0
    run()
    story.slack = [message for _, _, message in receiver.arrived["/slack"]]
    story.artifacts = sorted(rest.find("artifacts"), key=lambda a: str(a["created"]))
    story.task_names = {task["name"] for task in rest.find("task_runs")}
    return story


def _settled(receiver: Receiver) -> list[Message]:
    """All messages so far, once none has arrived for a while."""
    count = -1
    while count != len(receiver.arrived.get("/plain", [])):
        count = len(receiver.arrived.get("/plain", []))
        time.sleep(3)
    return [message for _, _, message in receiver.arrived.get("/plain", [])]


def _python(world: World, *words: str, **extra: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=PROJECT,
        env=world.env | extra,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def _worker(world: World, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", "assay", "--name", "test"],
            cwd=log.parent,
            env=world.env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _run_deployment(world: World, rest: Api) -> dict[str, Any]:
    deployment = rest.call("GET", f"deployments/name/{DEPLOYMENT}")
    run = rest.call("POST", f"deployments/{deployment['id']}/create_flow_run", state={"type": "SCHEDULED"})
    deadline = time.monotonic() + 120
    while run["state_type"] not in FINAL:
        assert time.monotonic() < deadline, (
            run["state"],
            world.home.parent.joinpath("worker.log").read_text(),
        )
        time.sleep(0.5)
        run = rest.call("GET", f"flow_runs/{run['id']}")
    found: dict[str, Any] = run
    return found


def test_runs_end_as_the_gate_decided(story: Story) -> None:
    assert [run["state_type"] for run in story.runs] == ["COMPLETED", "FAILED", "FAILED", "COMPLETED"]
    assert "published" in story.runs[0]["state"]["message"]
    assert "Blocked by 1 of" in story.runs[1]["state"]["message"]


def test_blocked_loads_change_no_table(story: Story) -> None:
    assert story.hashes[0] == story.hashes[1] == story.hashes[2]
    assert story.hashes[3] != story.hashes[2]


def test_storm_row_reached_the_webhook_with_all_that_a_person_needs(story: Story) -> None:
    storm = next(m for m in story.messages[0] if m["column"] == "wind_speed_mph")

    assert storm["event"] == "assay.rows.quarantined"
    assert (storm["pipeline"], storm["table"], storm["count"]) == ("nyc_flights", "weather", 1)
    assert storm["examples"] == ["1048.36058"]
    assert storm["expectation"] == "expect_column_values_to_be_between"
    assert story.runs[0]["id"] in storm["run_url"]
    assert storm["event_id"]
    assert any("1048.36058" in message["text"] for message in story.slack)


def test_only_news_of_severity_warning_and_above_is_sent(story: Story) -> None:
    first = story.messages[0]

    assert {m["severity"] for m in first if m["event"] != "assay.load.published"} <= {"critical", "warning"}
    assert len({m["event_id"] for m in story.messages[3]}) == len(story.messages[3])


def test_block_alerts_once_and_recovery_once(story: Story) -> None:
    counts = [[m["event"] for m in messages].count("assay.load.blocked") for messages in story.messages]
    last = [m["event"] for m in story.messages[3]]

    assert counts == [0, 1, 1, 1]
    assert story.messages[2] == story.messages[1], "nothing new was said of the second block"
    failed = [m for m in story.messages[1] if m["event"] == "assay.expectation.failed"]
    critical = [(m["column"], m["count"]) for m in failed if m["severity"] == "critical"]
    assert critical == [("wind_speed_mph", BROKEN_HOURS)]
    assert last.count("assay.load.recovered") == 1


def test_run_page_is_readable(story: Story) -> None:
    assert story.runs[0]["name"].startswith("nyc_flights ")
    assert {"extract flights", "transform", "validate weather", "stage flights", "load"} <= story.task_names


def test_artifact_tells_the_verdict_and_keeps_script_as_text(story: Story) -> None:
    data = [artifact["data"] for artifact in story.artifacts if artifact["key"] == "assay-nyc-flights"]

    assert len(data) == 4
    assert "1048.36058" in data[0]
    assert "Blocked" in data[1]
    assert SCRIPT not in "".join(data)


def test_token_is_nowhere(story: Story) -> None:
    """By value: in no file, also inside compressed Parquet, no table, no log, not in Prefect's database."""
    token = story.token
    files = [
        f for f in (*story.world.home.parent.rglob("*"), *story.server.log.parent.rglob("*")) if f.is_file()
    ]
    assert story.worker_log in files
    holding = [str(file) for file in files if token.encode() in _content(file)]
    assert holding == []
    assert _tables_holding(story.world.dsn, token) == []


def _content(file: Path) -> bytes:
    if file.suffix == ".parquet":
        frame = pl.read_parquet(file)
        binary = [frame[name].to_list() for name, dtype in frame.schema.items() if dtype == pl.Binary]
        return str(frame.select(pl.exclude(pl.Binary)).to_dicts()).encode() + b"".join(
            value for values in binary for value in values if value
        )
    return file.read_bytes()


def _tables_holding(dsn: str, text: str) -> list[str]:
    with psycopg.connect(dsn) as conn:
        tables = conn.execute(
            "SELECT schemaname, tablename FROM pg_tables "
            "WHERE schemaname IN ('assay', 'public', 'assay_staging')"
        ).fetchall()
        assert len(tables) >= 12
        return [
            name
            for schema, name in tables
            if conn.execute(
                sql.SQL("SELECT EXISTS (SELECT FROM {} t WHERE strpos(t::text, %s) > 0)").format(
                    sql.Identifier(schema, name)
                ),
                (text,),
            ).fetchone()
            == (True,)
        ]
