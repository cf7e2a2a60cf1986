"""A helper that was started ahead of its run."""

import os
import signal
from pathlib import Path

import pytest

from tasks import helper as module
from tasks.helper import HelperProcess, start_ahead
from tests.unit.tasks.helper.watching import COLD, is_alive, pid_of, wait_until


@pytest.fixture
def spare_pid(chores: Path, tmp_path: Path) -> int:
    (chores / "sitecustomize.py").write_text(COLD, encoding="utf-8")
    start_ahead(tmp_path / "ahead.log")
    assert module._spare is not None
    return module._spare._process.pid


def test_run_takes_the_helper_that_was_started_ahead(spare_pid: int, tmp_path: Path) -> None:
    with HelperProcess(tmp_path / "helper.log") as helper:
        assert helper.call("chores:pid") == pid_of(helper) == spare_pid
    wait_until(lambda: not is_alive(spare_pid))
    with HelperProcess(tmp_path / "helper.log") as another:
        assert pid_of(another) != spare_pid


def test_spare_helper_that_nobody_takes_ends_with_the_process(spare_pid: int) -> None:
    module._end_spare()
    assert not is_alive(spare_pid)


def test_spare_helper_that_died_is_done_without(spare_pid: int, tmp_path: Path) -> None:
    os.kill(spare_pid, signal.SIGKILL)
    with HelperProcess(tmp_path / "helper.log") as helper:
        assert helper.call("chores:echo", value=1) == 1
