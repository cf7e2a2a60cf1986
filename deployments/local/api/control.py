"""The endpoints under `/_control/`, with which a test or a demo changes what the API does."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from deployments.local.api.errors import ApiError
from deployments.local.api.faults import FAULT_NAMES, Fault
from deployments.local.api.messages import Request, Response, respond_json
from deployments.local.api.state import DemoState

T = TypeVar("T", bound=msgspec.Struct)

PREFIX = "/_control/"


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    """A command that knows its fields."""


class Correction(_Strict):
    """`ids` with one `set` for all of them, or `set_by_id`.

    A value may be anything that JSON can say, of another type too: third parties do that. A column that
    no record has is an error unless `new_columns` is true.
    """

    resource: str
    ids: list[int] = []
    set: dict[str, Any] = {}
    set_by_id: dict[int, dict[str, Any]] = {}
    new_columns: bool = False


class Clock(_Strict):
    """The moment by which records are known; null for all."""

    now: str | None


class Rate(_Strict):
    """Requests per second; null for no limit."""

    requests_per_s: float | None


def answer_control(state: DemoState, request: Request) -> Response:
    """Run one command.

    Raises:
        ApiError: 404 for an unknown command, 400 for one that makes no sense.
    """
    command = f"{request.method} {request.path.removeprefix(PREFIX)}"
    run = _COMMANDS.get(command)
    if run is None:
        raise ApiError(404, f"no command {command!r}: there are {', '.join(sorted(_COMMANDS))}")
    return respond_json(run(state, request))


def _correct(state: DemoState, request: Request) -> dict[str, Any]:
    correction = _decode(request.body, Correction)
    resource = _known(state, correction.resource)
    changes = {**dict.fromkeys(correction.ids, correction.set), **correction.set_by_id}
    if not changes or not all(changes.values()):
        raise ApiError(400, "nothing to correct: give 'ids' and 'set', or 'set_by_id'")
    _check_columns(state, correction, {name for change in changes.values() for name in change})
    return {"updated_at": state.correct(resource, changes), "count": len(changes)}


def _check_columns(state: DemoState, correction: Correction, names: set[str]) -> None:
    if fixed := names & {"id", "updated_at"}:
        raise ApiError(400, f"not to be set: {', '.join(sorted(fixed))}")
    known = state.world.snapshots[correction.resource].columns()
    if (new := names - known) and not correction.new_columns:
        raise ApiError(400, f'{correction.resource} has no {", ".join(sorted(new))}: say "new_columns": true')


def _set_clock(state: DemoState, request: Request) -> dict[str, Any]:
    clock = _decode(request.body, Clock)
    state.set_clock(clock.now)
    return {"now": clock.now}


def _limit_rate(state: DemoState, request: Request) -> dict[str, Any]:
    rate = _decode(request.body, Rate).requests_per_s
    if rate is not None and rate <= 0:
        raise ApiError(400, f"requests_per_s must be more than 0, not {rate}")
    state.limit_rate(rate)
    return {"requests_per_s": rate}


def _switch_on(state: DemoState, request: Request) -> dict[str, Any]:
    fault = _decode(request.body, Fault)
    if fault.resource is not None:
        _known(state, fault.resource)
    state.faults.switch_on(fault)
    return {"faults": state.faults.list_on()}


def _switch_off(state: DemoState, request: Request) -> dict[str, Any]:
    name = request.read_params().get("fault")
    if name is not None and name not in FAULT_NAMES:
        raise ApiError(400, f"no fault {name!r}: there are {', '.join(FAULT_NAMES)}")
    state.faults.switch_off(name)
    return {"faults": state.faults.list_on()}


def _list_faults(state: DemoState, _request: Request) -> dict[str, Any]:
    return {"faults": state.faults.list_on()}


def _read_stats(state: DemoState, _request: Request) -> dict[str, Any]:
    return state.stats.describe()


def _clear_stats(state: DemoState, _request: Request) -> dict[str, Any]:
    state.stats.clear()
    return {}


def _reset(state: DemoState, _request: Request) -> dict[str, Any]:
    state.reset()
    return {}


_COMMANDS: dict[str, Callable[[DemoState, Request], dict[str, Any]]] = {
    "POST correct": _correct,
    "POST clock": _set_clock,
    "POST rate_limit": _limit_rate,
    "POST faults": _switch_on,
    "GET faults": _list_faults,
    "DELETE faults": _switch_off,
    "GET stats": _read_stats,
    "DELETE stats": _clear_stats,
    "POST reset": _reset,
}


def _known(state: DemoState, resource: str) -> str:
    if resource not in state.snapshots:
        raise ApiError(400, f"no resource {resource!r}: there are {', '.join(state.snapshots)}")
    return resource


def _decode(body: bytes, command: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=command)
    except msgspec.DecodeError as exc:
        raise ApiError(400, f"{command.__name__.lower()}: {exc}") from exc
