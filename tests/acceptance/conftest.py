"""A user's world for whole runs: a database, an API, a home, and the command line in a process of its own."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
import pytest
import requests

from deployments.local.api.server import DemoApi
from flows.cli import app, exit_code

PIPELINE = "nyc_flights"


@dataclass(frozen=True)
class World:
    """What one user has: commands run in it as they would from a shell."""

    dsn: str
    home: Path
    api: DemoApi
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """The environment of the user's shell."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "ASSAY_", "AWS_"))}
        return inherited | {
            "ASSAY_HOME": str(self.home),
            "ASSAY_DATABASE_URL": self.dsn,
            "ASSAY_BASE_URL_NYC_FLIGHTS": self.api.url,
            "ASSAY_SECRET_NYC_FLIGHTS_TOKEN": self.api.state.token,
            **self.extra,
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `assay WORDS` and return at once."""
        return subprocess.Popen(
            [sys.executable, "-m", "flows.cli", *words],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def assay(self, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """Run `assay WORDS`, with further variables, and wait for its end."""
        return subprocess.run(
            [sys.executable, "-m", "flows.cli", *words],
            env=self.env | extra,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def run(self, verb: str = "run", *more: str) -> subprocess.CompletedProcess[str]:
        """Run the pipeline without Prefect, or replay it, in this process."""
        return self.here(verb, PIPELINE, "--no-prefect", "-q", *more)

    def here(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `assay WORDS` in this process.

        Great Expectations is loaded here already; a process of its own would take seconds to load it.
        """
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, self.env, clear=True),
            mock.patch("tasks.helper._Child", side_effect=OSError("not wanted here")),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = exit_code(lambda: app(list(words), result_action="return_value"))
        return subprocess.CompletedProcess(list(words), code, out.getvalue(), err.getvalue())

    def control(self, path: str, **body: Any) -> Any:
        """Tell the demo API something: a clock, a correction, a fault."""
        answer = requests.post(
            f"{self.api.url}/_control/{path}", json=body, headers=self.api.headers, timeout=30
        )
        assert answer.ok, answer.text
        return answer.json()

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of a query in the target database."""
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            return conn.execute(statement).fetchall()

    def execute(self, statement: str) -> None:
        """A statement in the target database."""
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(statement)


@pytest.fixture
def world(dsn: str, home: Path, api: DemoApi) -> World:
    """A fresh world, whose API serves all of 2013."""
    return World(dsn, home, api)


@pytest.fixture
def february(world: World) -> World:
    """The same while it is 20 February 2013: about a seventh of the flights, and the storm of the 12th."""
    world.control("clock", now="2013-02-20T00:00:00Z")
    return world
