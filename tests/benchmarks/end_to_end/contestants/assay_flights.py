"""assay: the resource flights of the pipeline nyc_flights, with its suite, quarantine and landing zone.

`plain` runs without Prefect. Its steady time begins when everything is imported and the helper process is
warm; the whole process has all of that in it. `prefect` is the flow, against a running Prefect server.
"""

import json
import sys
import time
from contextlib import ExitStack, nullcontext
from unittest import mock

from tasks.pipeline import Pipeline


def flights_only() -> Pipeline:
    from flows.catalog import find_pipeline  # noqa: PLC0415

    whole = find_pipeline("nyc_flights")
    return whole.model_copy(
        update={
            "resources": (whole.resource("flights"),),
            "tables": (whole.table("flights"),),
            "reports": (),
        }
    )


def run_plainly(*, full_refresh: bool, is_warm: bool) -> float:
    from flows.path import follow_path, plain_steps  # noqa: PLC0415
    from flows.run import Order, run_pipeline  # noqa: PLC0415
    from flows.wiring import plain_ports  # noqa: PLC0415
    from tasks.helper import HelperProcess  # noqa: PLC0415

    pipeline, ports = flights_only(), plain_ports()
    with plain_steps(threads=8) as steps, ExitStack() as stack:
        if is_warm:
            helper = stack.enter_context(HelperProcess(ports.settings.home / "logs" / "helper.log"))
            helper.call("platform:python_version")  # answers when everything is imported
            stack.enter_context(mock.patch("flows.run.HelperProcess", return_value=nullcontext(helper)))
        started = time.perf_counter()
        run_pipeline(pipeline, ports, lambda run: follow_path(run, steps), Order(full_refresh=full_refresh))
        return time.perf_counter() - started


def run_under_prefect(*, full_refresh: bool) -> float:
    from flows import ingest  # noqa: PLC0415

    started = time.perf_counter()
    with mock.patch.object(ingest, "find_pipeline", return_value=flights_only()):
        state = ingest.ingest("nyc_flights", full_refresh=full_refresh, return_state=True)
    assert state.is_completed(), state.message
    return time.perf_counter() - started


def main() -> None:
    how, full_refresh = sys.argv[1], "--full-refresh" in sys.argv
    if how == "prefect":
        steady_s = run_under_prefect(full_refresh=full_refresh)
    else:
        steady_s = run_plainly(full_refresh=full_refresh, is_warm=how == "warm")
    print(json.dumps({"steady_s": steady_s}))


if __name__ == "__main__":
    main()
