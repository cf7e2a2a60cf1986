"""A helper process for what needs Great Expectations, started early so that its import is never waited for.

Importing GX takes seconds. The helper imports it while the API is being read, and runs validations away from
the flow's own interpreter lock. Requests travel as JSON lines on its stdin, replies on a pipe of their own;
its stdout and stderr go to a file, because a pipe inherited from a killed flow would keep the flow's parent
waiting for its end. It ends when its stdin ends or its parent is gone.
"""

import importlib
import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tasks import errors

log = logging.getLogger(__name__)

WARM_UP = ("expectations.engine",)
PARENT_CHECK_S = 1.0


class HelperProcess:
    """The parent's end of a helper. Use as a context manager; calls are served one at a time.

    When the helper cannot be started, or dies, a call runs in this process instead: slower, never lost.
    """

    def __init__(self, log_file: Path, *, timeout_s: float = 1800.0) -> None:
        self._log_file = log_file
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._replies: IO[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except OSError as exc:
            log.warning("The helper process does not start (%s): validating in this process", exc)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def call(self, function: str, /, **arguments: Any) -> Any:
        """Call `package.module:function` and return its result; arguments and result are JSON-able.

        Raises:
            PipelineError: The function raised it; its class and message are kept.
            FatalError: The function raised anything else; the message ends with its traceback.
        """
        with self._lock:
            if self._process is None:
                return _run(function, arguments)
            try:
                reply = self._ask({"function": function, "arguments": arguments})
            except (OSError, EOFError) as exc:
                log.warning("The helper process ended (%s; see %s): going on without it", exc, self._log_file)
                self._stop()
                return _run(function, arguments)
        if "error" in reply:
            raise getattr(errors, reply["error"], errors.FatalError)(reply["message"])
        return reply["result"]

    def _start(self) -> None:
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        receive, send = os.pipe()
        with self._log_file.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tasks.helper", str(send)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=(send,),
            )
        os.close(send)
        self._replies = os.fdopen(receive, "rb")

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._replies is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._replies], [], [], self._timeout_s)
        if not ready:
            self._process.kill()
            raise errors.FatalError(f"{request['function']} gave no answer within {self._timeout_s:.0f} s")
        line = self._replies.readline()
        if not line:
            raise EOFError(f"exit code {self._process.wait()}")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _stop(self) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        assert self._replies is not None
        try:
            self._process.stdin.close()
        except OSError:
            log.debug("The helper process was gone already")
        self._replies.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _run(function: str, arguments: dict[str, Any]) -> Any:
    module, _, name = function.partition(":")
    return getattr(importlib.import_module(module), name)(**arguments)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": _run(request["function"], request["arguments"])}
    except errors.PipelineError as exc:
        return {"error": type(exc).__name__, "message": str(exc)}
    except Exception as exc:  # noqa: BLE001  the parent raises it again, with the traceback in its message
        return {"error": "FatalError", "message": f"{type(exc).__name__}: {exc}\n{traceback.format_exc()}"}


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_S)
    os._exit(1)


def main(reply_descriptor: int) -> None:
    """Serve requests from stdin until it ends."""
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    for module in WARM_UP:
        importlib.import_module(module)
    with os.fdopen(reply_descriptor, "wb") as replies:
        for line in sys.stdin.buffer:
            replies.write(json.dumps(_answer(json.loads(line))).encode() + b"\n")
            replies.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
