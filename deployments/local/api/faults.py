"""Faults that a test or a demo switches on: what third-party APIs do on a bad day."""

import threading
from typing import Literal, get_args

import msgspec

FaultName = Literal[
    "error_500",  # an error of the server, as JSON
    "rate_limited_429",  # asks to be left alone for `seconds`
    "truncated_body",  # half the body that Content-Length promises, then the end of the connection
    "reset_connection",  # no answer, and a TCP reset
    "slow",  # the right answer after `seconds`
    "html_200",  # a maintenance page that says 200
    "wrong_total",  # counts one record more than there are
]
FAULT_NAMES: tuple[str, ...] = get_args(FaultName)


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """A fault and where it strikes.

    Attributes:
        fault: What happens.
        resource: Only there; everywhere if null.
        page: Only on this page; on all if null.
        times: How often it strikes before it is spent; for ever if null.
        seconds: The delay of `slow`, the `Retry-After` of `rate_limited_429`.
    """

    fault: FaultName
    resource: str | None = None
    page: int | None = None
    times: int | None = None
    seconds: float = 1.0

    def matches(self, resource: str, page: int) -> bool:
        """Whether it strikes this request."""
        return self.resource in {None, resource} and self.page in {None, page} and self.times != 0


class FaultSwitch:
    """The faults that are on, in the order in which they were switched on."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def switch_on(self, fault: Fault) -> None:
        """Let it strike from the next request on."""
        with self._lock:
            self._faults.append(msgspec.structs.replace(fault))

    def switch_off(self, name: str | None = None) -> None:
        """Switch off the faults of this name, or all."""
        with self._lock:
            self._faults = [fault for fault in self._faults if name not in {None, fault.fault}]

    def strike(self, resource: str, page: int) -> Fault | None:
        """The first fault that this request meets, counted as one of its `times`."""
        if not self._faults:
            return None
        with self._lock:
            fault = next((fault for fault in self._faults if fault.matches(resource, page)), None)
            if fault is not None and fault.times is not None:
                fault.times -= 1
            return fault

    def list_on(self) -> list[Fault]:
        """The faults that can still strike."""
        with self._lock:
            return [msgspec.structs.replace(fault) for fault in self._faults if fault.times != 0]
