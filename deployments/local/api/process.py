"""The demo API as a child process, so that it does not share the interpreter of what is measured."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from tasks.errors import ConfigurationError


@contextlib.contextmanager
def running_demo_api(
    token: str = "demo-token",  # noqa: S107 - a demo's
    *,
    port: int = 0,
    options: tuple[str, ...] = (),
) -> Iterator[str]:
    """Start the API in a process that ends with this one, and yield its URL.

    Args:
        token: The bearer token to require.
        port: 0 for any that is free.
        options: Further words for the command line.

    Raises:
        ConfigurationError: If it ends before it listens; what it had to say is on stderr.
    """
    command = [sys.executable, "-m", "deployments.local.api", "--until-stdin-closes"]
    command += ["--port", str(port), "--token", token, *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line.startswith("listening on "):
                raise ConfigurationError(f"The demo API did not start on port {port}. Is there another?")
            yield line.removeprefix("listening on ").strip()
        finally:
            process.stdin.close()
            process.wait(timeout=10)
