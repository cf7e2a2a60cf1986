"""What helpers are given to do, and looks at what becomes of them."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.helper import REHEARSALS, WARM_UP, HelperProcess

CHORES = """
import os, signal, sys, time
from pathlib import Path
from tasks.errors import ConfigurationError, DataQualityError

class OddError(DataQualityError):
    pass

def echo(value):
    return value

def pid():
    return os.getpid()

def shout(text):
    print(text, flush=True)
    os.write(1, text.encode() + b"\\n")
    os.write(2, text.encode() + b"\\n")
    return len(text)

def fail(kind):
    raise {"known": ConfigurationError, "derived": OddError, "other": KeyError}[kind]("wrong: ü")

def panic():
    import polars as pl
    raise pl.exceptions.PanicException("index out of bounds")

def unspeakable():
    return {1, 2}

def dawdle(parent, started, seconds=60):
    if os.getpid() != parent:
        Path(started).touch()
        time.sleep(seconds)
    return "done"

def die(parent, status):
    if os.getpid() != parent:
        os._exit(status)
    return "done"
"""
# The real warm-up takes seconds; one test below waits for it.
COLD = f"""import sys, types
sys.modules.update((name, types.ModuleType(name)) for name in {WARM_UP})
for rehearsal in {REHEARSALS}:
    module, function = rehearsal.split(":")
    sys.modules[module] = types.ModuleType(module)
    setattr(sys.modules[module], function, lambda: None)
"""

Start = Callable[..., HelperProcess]


def pid_of(helper: HelperProcess) -> int:
    assert helper._child is not None
    return helper._child._process.pid


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def descriptors() -> list[str]:
    """Names of the open descriptors, and of one that is open while we look."""
    return sorted(entry.name for entry in Path("/proc/self/fd").iterdir())


def wait_until(is_so: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
