"""Polars keeps freed memory in a process of flows, not in their helper's; what the user sets stays."""

import subprocess
import sys

import pytest

VARIABLE = "_RJEM_MALLOC_CONF"
SHOW = f"""
import flows, os, polars
from tasks.allocator import helper_environment
print(os.environ["{VARIABLE}"], helper_environment().get("{VARIABLE}"), sep="|", end="")
"""


@pytest.mark.parametrize(
    ("said", "in_flows", "in_helper"),
    [
        (None, "dirty_decay_ms:10000,muzzy_decay_ms:10000", "None"),
        ("dirty_decay_ms:7", "dirty_decay_ms:7", "dirty_decay_ms:7"),
    ],
)
def test_who_keeps_freed_memory(
    monkeypatch: pytest.MonkeyPatch, said: str | None, in_flows: str, in_helper: str
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if said:
        monkeypatch.setenv(VARIABLE, said)
    shown = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True).stdout
    own, helpers = shown.split("|")
    assert own.endswith(in_flows)
    assert helpers.endswith(in_helper)
