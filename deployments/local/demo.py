"""The demo: a local API and a local Prefect server, and the pipeline nyc_flights run under it.

`assay demo` runs this module in a process of its own: what runs around the flows may know them, not the
other way round.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deployments.local.api.process import running_demo_api
from deployments.local.prefect_server import prefect_server
from tasks.errors import PipelineError
from tasks.settings import read_settings, secret_variable

PIPELINE = "nyc_flights"
TOKEN_NAME = "nyc-flights-token"  # noqa: S105  the secret's name
TOKEN = "demo-token"  # noqa: S105  of an API on loopback, with public data
API_PORT = 8713


def main() -> int:
    """Run the demo; returns the exit code of the run."""
    parser = argparse.ArgumentParser(prog="assay demo", description=main.__doc__)
    parser.add_argument("--serve", action="store_true", help="keep the API and the Prefect UI up afterwards")
    serve: bool = parser.parse_args().serve
    started = time.monotonic()
    with ExitStack() as stack:
        _say("starting the demo API: 336,776 flights, with weather, planes, airports, airlines")
        api_url = stack.enter_context(running_demo_api(TOKEN, port=API_PORT if serve else 0))
        env = stack.enter_context(_prefect_environment(read_settings().home / "prefect"))
        env |= {f"ASSAY_BASE_URL_{PIPELINE.upper()}": api_url, secret_variable(TOKEN_NAME): TOKEN}
        _say(f"ready after {time.monotonic() - started:.1f} s; running {PIPELINE}")
        code = subprocess.run(
            [sys.executable, "-m", "flows.cli", "run", PIPELINE], env=env, check=False
        ).returncode
        if serve:
            ui_url = env["PREFECT_API_URL"].removesuffix("/api")
            _say(f"Prefect UI {ui_url} · API {api_url} · Ctrl-C ends both")
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return code


@contextmanager
def _prefect_environment(home: Path) -> Iterator[dict[str, str]]:
    """The environment of a run: the Prefect server that is configured, or one of our own."""
    if os.environ.get("PREFECT_API_URL"):
        yield dict(os.environ)
        return
    _say("starting a Prefect server; its first start takes about 20 s")
    with prefect_server(home, PREFECT_SERVER_UI_ENABLED="true") as server:
        own = {name: value for name, value in server.env.items() if name.startswith("PREFECT_")}
        yield dict(os.environ) | own


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except PipelineError as exc:
        _say(f"failed {exc}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
