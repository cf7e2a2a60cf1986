"""`apply.py` as a person runs it, and a receiver of the alerts that it sets up."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deployments.local.prefect_server import PrefectServer
from tests.integration.deployments.rest import Api
from tests.integration.deployments.webhook_receiver import Receiver, webhook_receiver

PROJECT = Path(__file__).parents[3]

Apply = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def apply(prefect: PrefectServer) -> Apply:
    """Runs `python deployments/apply.py` as a person does, with further variables in the environment."""

    def run(**variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "deployments/apply.py"],
            cwd=PROJECT,
            env=prefect.env | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    with webhook_receiver() as listening:
        yield listening


@pytest.fixture(scope="module")
def applied(prefect: PrefectServer, apply: Apply, receiver: Receiver) -> Iterator[None]:
    """The server sends alerts to the receiver's paths `/slack` and `/plain`."""
    done = apply(
        ASSAY_ALERT_SLACK_URL=f"{receiver.url}/slack", ASSAY_ALERT_WEBHOOK_URL=f"{receiver.url}/plain"
    )
    assert done.returncode == 0, done.stderr
    yield
    Api(prefect.api_url).clear()
