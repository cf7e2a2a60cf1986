"""A shop for each test, in a database of its own."""

from pathlib import Path

import pytest

from tests.integration.tasks.load.builders import Shop


@pytest.fixture
def shop(dsn: str, tmp_path: Path) -> Shop:
    return Shop(dsn, tmp_path)
