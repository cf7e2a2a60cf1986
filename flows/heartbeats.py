"""Heartbeats that end with their run.

Prefect's own sleep a second at a time, and the end of a flow waits for that: half a second of each run.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from prefect import Flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.events import emit_event
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def prompt_heartbeats(flow: Flow[P, R]) -> Iterator[Flow[P, R]]:
    """The flow with heartbeats as often as Prefect's settings want them, from a thread that can be woken."""
    every_s = PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value()
    if every_s is None:
        yield flow
        return
    is_over = threading.Event()

    def send_heartbeats(flow: Flow[P, R], flow_run: FlowRun, state: State[R]) -> None:  # noqa: ARG001  a hook's
        arguments = (_beat, flow, flow_run, every_s, is_over)
        # In this context, whose settings say where the server is.
        threading.Thread(target=copy_context().run, args=arguments, daemon=True, name="heartbeats").start()

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        try:
            yield flow.with_options(on_running=[send_heartbeats])
        finally:
            is_over.set()


def _beat(flow: Flow[P, R], flow_run: FlowRun, every_s: float, is_over: threading.Event) -> None:
    resource = {
        "prefect.resource.id": f"prefect.flow-run.{flow_run.id}",
        "prefect.resource.name": flow_run.parameters["pipeline"],  # its own name is made up later
    }
    its_flow = {
        "prefect.resource.id": f"prefect.flow.{flow_run.flow_id}",
        "prefect.resource.role": "flow",
        "prefect.resource.name": flow.name,
    }
    emit_event("prefect.flow-run.heartbeat", resource, related=[its_flow])
    while not is_over.wait(every_s):
        emit_event("prefect.flow-run.heartbeat", resource, related=[its_flow])
