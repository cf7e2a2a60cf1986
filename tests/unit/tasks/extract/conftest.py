"""Retries without waiting, for all tests of the step."""

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def no_backoff() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield
