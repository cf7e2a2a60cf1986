"""One small demo API for all tests of the step, as new for each; retries without waiting."""

from collections.abc import Iterator

import pytest
import stamina

from deployments.local.api.server import DemoApi
from tests.integration.tasks.extract.demo import make_api


@pytest.fixture(autouse=True)
def no_backoff() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture(scope="session")
def started_api() -> Iterator[DemoApi]:
    with make_api() as api:
        yield api


@pytest.fixture
def api(started_api: DemoApi) -> DemoApi:
    started_api.state.reset()
    return started_api
