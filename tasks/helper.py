"""A helper process for what needs Great Expectations, started early so that its import is never waited for.

Importing GX takes seconds. The helper imports it while the API is being read, and runs validations away from
the flow's own interpreter lock. Requests travel as JSON lines on its stdin, replies on a pipe of their own;
its stdout and stderr go to a file, because a pipe inherited from a killed flow would keep the flow's parent
waiting for its end. It ends when its stdin ends or its parent is gone.
"""

import atexit
import contextlib
import importlib
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tasks import errors
from tasks.allocator import helper_environment
from tasks.timings import add_part

log = logging.getLogger(__name__)

WARM_UP = ("expectations.engine", "tasks.validate.gate")
REHEARSALS = ("tasks.validate.gate:rehearse", "tasks.publish.templates:compile_all")
"""Called once, before anything is asked: a first time costs more, and nobody waits for this one."""
PARENT_CHECK_S = 1.0
PROJECT = Path(__file__).resolve().parent.parent


class HelperProcess:
    """The parent's end of a helper. Use as a context manager; calls are served one at a time.

    When the helper cannot be started, or dies, a call runs in this process instead: slower, never lost.
    """

    def __init__(self, log_file: Path, *, timeout_s: float = 1800.0) -> None:
        self._log_file = log_file
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._is_closed = False

    def __enter__(self) -> Self:
        try:
            self._child = _take_spare() or _Child(self._log_file)
        except OSError as exc:
            log.warning("The helper process does not start (%s): validating in this process", exc)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed = True
        child = self._child
        if child is not None:
            child.kill()  # a call that is under way, on a thread nobody waits for any more, ends with it
            with self._lock:
                self._drop()

    def call(self, function: str, /, **arguments: Any) -> Any:
        """Call `package.module:function` and return its result; arguments and result are JSON-able.

        Raises:
            PipelineError: The function raised it; its class and message are kept.
            FatalError: The function raised anything else, and the message ends with its traceback; or it gave
                no answer in time.
        """
        request = json.dumps({"function": function, "arguments": arguments}).encode() + b"\n"
        asked = time.perf_counter()
        with self._lock:
            reply = json.loads(self._serve(function, request))
        if "error" in reply:
            raise getattr(errors, reply["error"])(reply["message"])
        # Until it was imported, and done with what others had asked.
        add_part("wait for the helper", time.perf_counter() - asked - reply["took_s"])
        return reply["result"]

    def _serve(self, function: str, request: bytes) -> bytes:
        if self._child is None:
            return self._serve_here(function, request)
        try:
            reply = self._child.ask(request, self._timeout_s)
        except (OSError, EOFError):
            code = self._drop(patience_s=1.0)
            log.warning("The helper process ended (code %s; see %s): going on without", code, self._log_file)
            return self._serve_here(function, request)
        except BaseException:
            # Interrupted in between: a reply that comes later would be taken for that of the next request.
            self._drop()
            raise
        if reply is None:
            self._drop()
            raise errors.FatalError(f"{function} gave no answer within {self._timeout_s:g} s")
        return reply

    def _serve_here(self, function: str, request: bytes) -> bytes:
        if self._is_closed:
            raise errors.FatalError(f"{function} was not run: the helper process is closed")
        return _answer(request)

    def _drop(self, *, patience_s: float = 0.0) -> int | None:
        child, self._child = self._child, None
        return child.end(patience_s) if child is not None else None


class _Child:
    """A running helper: its process, and the pipe of its replies."""

    def __init__(self, log_file: Path) -> None:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        receive, send = os.pipe()
        self._replies = os.fdopen(receive, "rb")
        try:
            with log_file.open("ab") as output:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tasks.helper", str(send)],
                    cwd=PROJECT,  # `-m` looks there first: a package `tasks` of somebody else's must not win
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                    pass_fds=(send,),
                    env=helper_environment(),
                )
        except OSError:
            self._replies.close()
            raise
        finally:
            os.close(send)

    def ask(self, request: bytes, timeout_s: float) -> bytes | None:
        """The reply to a request; None when there is none in time.

        Raises:
            OSError: The helper is gone.
            EOFError: It went while it was at it.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(request)
        self._process.stdin.flush()
        # Not `select`, which refuses descriptors above 1023.
        with selectors.DefaultSelector() as selector:
            selector.register(self._replies, selectors.EVENT_READ)
            if not selector.select(timeout_s):
                return None
        reply = self._replies.readline()
        if not reply.endswith(b"\n"):
            raise EOFError
        return reply

    def kill(self) -> None:
        """End it at once: it keeps nothing that would be lost."""
        self._process.kill()

    def end(self, patience_s: float) -> int:
        """End it and put everything of it away; its exit code."""
        assert self._process.stdin is not None
        try:
            code = self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        with contextlib.suppress(OSError):  # the rest of a request that it will not read any more
            self._process.stdin.close()
        self._replies.close()
        return code


_spare: _Child | None = None


def start_ahead(log_file: Path) -> None:
    """Start the helper of the run to come: what the run itself imports and asks for first hides its import.

    The next `HelperProcess` of this process takes it.
    """
    global _spare  # noqa: PLW0603  who starts it and who takes it have only Prefect's engine between them
    _end_spare()
    with contextlib.suppress(OSError):  # the run will say it
        _spare = _Child(log_file)
        atexit.register(_end_spare)


def _take_spare() -> _Child | None:
    global _spare
    spare, _spare = _spare, None
    return spare


def _end_spare() -> None:
    if spare := _take_spare():
        spare.kill()
        spare.end(0.0)


def _answer(request: bytes) -> bytes:
    """The reply to a request, both as a line of JSON."""
    reply: dict[str, Any]
    began = time.perf_counter()
    try:
        reply = {"result": _run(**json.loads(request)), "took_s": time.perf_counter() - began}
        return json.dumps(reply).encode() + b"\n"
    except (KeyboardInterrupt, SystemExit):
        raise
    except errors.PipelineError as exc:
        known = next(kind for kind in type(exc).__mro__ if kind.__module__ == errors.__name__)
        reply = {"error": known.__name__, "message": str(exc)}
    except BaseException as exc:  # noqa: BLE001  the caller raises it again; a panic of Polars is no Exception
        reply = {"error": "FatalError", "message": f"{type(exc).__name__}: {exc}\n{traceback.format_exc()}"}
    return json.dumps(reply).encode() + b"\n"


def _run(function: str, arguments: dict[str, Any]) -> Any:
    module, _, name = function.partition(":")
    return getattr(importlib.import_module(module), name)(**arguments)


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_S)
    os._exit(1)


def main(reply_descriptor: int) -> None:
    """Serve requests from stdin until it ends."""
    # Ctrl-C reaches all processes of a terminal; what follows from it is the parent's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    for module in WARM_UP:
        importlib.import_module(module)
    for rehearsal in REHEARSALS:
        _run(rehearsal, {})
    with os.fdopen(reply_descriptor, "wb") as replies:
        for line in sys.stdin.buffer:
            replies.write(_answer(line))
            replies.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
