"""Importing the engine is cheaper than importing GX, and leaves the garbage collector as it was."""

from __future__ import annotations

import subprocess
import sys

SAY = "print(gc.isenabled(), gc.get_freeze_count() > 100_000)"


def say_after(statements: str) -> str:
    command = [sys.executable, "-W", "error", "-c", f"import gc; {statements}; {SAY}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_what_gx_brings_is_kept_from_the_garbage_collector_which_goes_on() -> None:
    assert say_after("import expectations.engine") == "True True"


def test_a_garbage_collector_that_was_off_stays_off() -> None:
    assert say_after("gc.disable(); import expectations.engine") == "False True"
