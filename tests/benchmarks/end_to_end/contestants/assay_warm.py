"""assay's steady state: one pipeline, when everything is imported and the helper process is warm."""

import json
import sys
import time
from contextlib import ExitStack, nullcontext
from unittest import mock

from flows.catalog import find_pipeline
from flows.path import follow_path, plain_steps
from flows.run import Order, run_pipeline
from flows.wiring import plain_ports
from tasks.helper import HelperProcess


def main() -> None:
    pipeline, ports = find_pipeline(sys.argv[1]), plain_ports()
    order = Order(full_refresh="--full-refresh" in sys.argv)
    with plain_steps(threads=8) as steps, ExitStack() as stack:
        helper = stack.enter_context(HelperProcess(ports.settings.home / "logs" / "helper.log"))
        helper.call("platform:python_version")  # answers when everything is imported
        stack.enter_context(mock.patch("flows.run.HelperProcess", return_value=nullcontext(helper)))
        started = time.perf_counter()
        run_pipeline(pipeline, ports, lambda run: follow_path(run, steps), order)
        print(json.dumps({"steady_s": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
