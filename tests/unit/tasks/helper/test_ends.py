"""Ends: right answers whatever happens to the helper process, and nothing of it left behind."""

import fcntl
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tasks import errors
from tasks.helper import HelperProcess
from tests.unit.tasks.helper.watching import (
    COLD,
    Start,
    descriptors,
    is_alive,
    pid_of,
    wait_until,
    warnings_in,
)


def test_helper_killed_between_calls_is_done_without(
    helper: HelperProcess, caplog: pytest.LogCaptureFixture
) -> None:
    assert helper.call("chores:echo", value=1) == 1
    os.kill(pid_of(helper), signal.SIGKILL)
    assert helper.call("chores:pid") == os.getpid()
    assert helper.call("chores:echo", value=[2]) == [2]
    [warning] = warnings_in(caplog)
    assert "The helper process ended (code -9; see " in warning


def test_helper_killed_during_a_call_is_done_without(
    helper: HelperProcess, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    started, pid = tmp_path / "started", pid_of(helper)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(helper.call, "chores:dawdle", parent=os.getpid(), started=str(started))
        wait_until(started.exists)
        os.kill(pid, signal.SIGKILL)
        assert answer.result(timeout=10) == "done"
    assert len(warnings_in(caplog)) == 1


def test_helper_that_ends_itself_is_done_without(
    helper: HelperProcess, caplog: pytest.LogCaptureFixture
) -> None:
    assert helper.call("chores:die", parent=os.getpid(), status=3) == "done"
    assert "code 3" in warnings_in(caplog)[0]


def test_helper_that_dies_while_it_answers_is_done_without(
    helper: HelperProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert helper._child is not None
    receive, send = os.pipe()
    os.write(send, b'{"result": "half an ans')
    os.close(send)
    helper._child._replies.close()
    monkeypatch.setattr(helper._child, "_replies", os.fdopen(receive, "rb"))
    assert helper.call("chores:echo", value="whole") == "whole"


def test_helper_that_does_not_start_is_done_without(
    chores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    del chores
    monkeypatch.setattr(sys, "executable", "/does/not/exist")
    before = len(descriptors())
    with HelperProcess(tmp_path / "helper.log") as helper:
        assert len(descriptors()) == before
        assert helper.call("chores:pid") == os.getpid()
    assert "does not start" in warnings_in(caplog)[0]


def test_helper_whose_log_cannot_be_written_is_done_without(chores: Path, tmp_path: Path) -> None:
    del chores
    (tmp_path / "file").touch()
    with HelperProcess(tmp_path / "file" / "helper.log") as helper:
        assert helper.call("chores:pid") == os.getpid()


def test_call_without_an_answer_in_time_is_fatal_and_the_next_one_is_served(
    start: Start, tmp_path: Path
) -> None:
    helper = start(timeout_s=2)
    pid = pid_of(helper)
    with pytest.raises(errors.FatalError, match="chores:dawdle gave no answer within 2 s"):
        helper.call("chores:dawdle", parent=os.getpid(), started=str(tmp_path / "started"))
    assert not Path(f"/proc/{pid}").exists()
    assert helper.call("chores:echo", value=1) == 1


def test_answer_to_an_interrupted_call_is_not_given_to_the_next(
    helper: HelperProcess, tmp_path: Path
) -> None:
    class Interruption(BaseException):
        pass

    def interrupt(*_: Any) -> None:
        raise Interruption

    def interrupt_when_started() -> None:
        wait_until(started.exists)
        os.kill(os.getpid(), signal.SIGUSR1)

    started = tmp_path / "started"
    before = signal.signal(signal.SIGUSR1, interrupt)
    other = threading.Thread(target=interrupt_when_started)
    other.start()
    try:
        with pytest.raises(Interruption):
            helper.call("chores:dawdle", parent=os.getpid(), started=str(started), seconds=0.5)
    finally:
        other.join()
        signal.signal(signal.SIGUSR1, before)
    assert helper.call("chores:echo", value="mine") == "mine"


def test_ctrl_c_leaves_the_helper_to_its_parent(helper: HelperProcess, tmp_path: Path) -> None:
    started, pid = tmp_path / "started", pid_of(helper)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(
            helper.call, "chores:dawdle", parent=os.getpid(), started=str(started), seconds=0.3
        )
        wait_until(started.exists)
        os.kill(pid, signal.SIGINT)
        assert answer.result(timeout=10) == "done"
    assert helper.call("chores:pid") == pid


def test_leaving_ends_a_call_that_is_under_way_and_those_that_wait(start: Start, tmp_path: Path) -> None:
    helper, started = start(), tmp_path / "started"
    with ThreadPoolExecutor(3) as pool:
        calls = [
            pool.submit(helper.call, "chores:dawdle", parent=os.getpid(), started=str(started))
            for _ in range(3)
        ]
        wait_until(started.exists)
        helper.__exit__(None, None, None)
        for call in calls:
            with pytest.raises(errors.FatalError, match="the helper process is closed"):
                call.result(timeout=10)


def test_nothing_remains_after_leaving(start: Start) -> None:
    before = descriptors()
    threads = threading.active_count()
    helper = start()
    pid = pid_of(helper)
    assert helper.call("chores:pid") == pid
    helper.__exit__(None, None, None)
    assert not Path(f"/proc/{pid}").exists()
    assert descriptors() == before
    assert threading.active_count() == threads


def test_leaving_does_not_wait_for_the_import(chores: Path, tmp_path: Path) -> None:
    (chores / "sitecustomize.py").write_text("import time; time.sleep(60)", encoding="utf-8")
    begun = time.monotonic()
    with HelperProcess(tmp_path / "helper.log") as helper:
        assert is_alive(pid_of(helper))
    assert time.monotonic() - begun < 5


def test_call_waits_for_the_import_of_great_expectations(chores: Path, tmp_path: Path) -> None:
    with HelperProcess(tmp_path / "helper.log") as helper:
        (chores / "late.py").write_text(
            "import sys\ndef loaded():\n    return 'great_expectations' in sys.modules\n", encoding="utf-8"
        )
        assert helper.call("late:loaded") is True


def test_package_of_the_same_name_in_the_current_folder_is_not_taken(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").write_text("raise SystemExit('the wrong package')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    helper = start()
    assert helper.call("chores:pid") == pid_of(helper)


def test_descriptors_may_be_many(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("fewer than 2048 descriptors are allowed")
    make_pipe = os.pipe

    def make_high_pipe() -> tuple[int, int]:
        receive, send = make_pipe()
        high = fcntl.fcntl(receive, fcntl.F_DUPFD_CLOEXEC, 1100)
        os.close(receive)
        return high, send

    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, hard))
    try:
        with monkeypatch.context() as patch:
            patch.setattr("tasks.helper.os.pipe", make_high_pipe)
            helper = start()
        assert helper._child is not None
        assert helper._child._replies.fileno() >= 1100
        assert helper.call("chores:pid") == pid_of(helper)
        helper.__exit__(None, None, None)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("is_busy", [False, True])
def test_helper_ends_when_its_parent_is_killed(chores: Path, tmp_path: Path, is_busy: bool) -> None:
    (chores / "sitecustomize.py").write_text(COLD, encoding="utf-8")
    started = tmp_path / "started"
    call = (
        f"helper.call('chores:dawdle', parent=0, started={str(started)!r})" if is_busy else "time.sleep(60)"
    )
    script = f"""
        import time
        from pathlib import Path
        from tasks.helper import HelperProcess
        with HelperProcess(Path({str(tmp_path / "helper.log")!r})) as helper:
            print(helper.call("chores:pid"), flush=True)
            {call}
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        if is_busy:
            wait_until(started.exists)
        assert is_alive(pid)
        parent.kill()
    wait_until(lambda: not is_alive(pid))


def test_helper_ends_when_its_stdin_does(helper: HelperProcess) -> None:
    assert helper._child is not None
    process = helper._child._process
    assert process.stdin is not None
    assert helper.call("chores:echo", value=1) == 1
    process.stdin.close()
    assert process.wait(timeout=10) == 0
    helper._drop()
