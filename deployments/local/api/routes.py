"""From a request to a response, without the socket."""

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from deployments.local.api.control import PREFIX, answer_control
from deployments.local.api.errors import ApiError
from deployments.local.api.faults import Fault, FaultName
from deployments.local.api.messages import Request, Response, respond_error, respond_json
from deployments.local.api.snapshot import Page
from deployments.local.api.state import DemoState, parse_moment
from deployments.local.api.stats import Served

PER_PAGE_DEFAULT = 100
PER_PAGE_MAX = 1000

_MAINTENANCE = b"<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>\n"


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a request for a resource, checked."""

    page: int
    per_page: int
    since_us: int | None


def answer(state: DemoState, request: Request) -> Response:
    """Answer any request; what cannot be answered gets a JSON error."""
    try:
        return _route(state, request)
    except ApiError as error:
        return respond_error(error, {"WWW-Authenticate": "Bearer"} if error.status == 401 else None)


def _route(state: DemoState, request: Request) -> Response:
    if request.path == "/health":
        return respond_json({"status": "ok"})
    if not request.bears(state.token):
        raise ApiError(401, "a valid bearer token is required")
    if request.path.startswith(PREFIX):
        return answer_control(state, request)
    resource = request.path.removeprefix("/")
    if resource not in state.snapshots:
        raise ApiError(404, f"no resource {resource!r}: there are {', '.join(state.snapshots)}")
    if request.method != "GET":
        raise ApiError(405, f"{resource} can only be read")
    return _answer_resource(state, resource, request)


def _answer_resource(state: DemoState, resource: str, request: Request) -> Response:
    params: dict[str, str] = {}
    fault = None
    try:
        params = request.read_params()
        if wait_s := state.limiter.wait_s():
            response = _respond_too_many(wait_s)
        else:
            query = read_query(params)
            fault = state.faults.strike(resource, query.page)
            response = _answer_page(state, resource, query, fault)
    except ApiError as error:
        response = respond_error(error)
    state.stats.record(Served(resource, params, response.status, fault.fault if fault else None))
    return response


def _answer_page(state: DemoState, resource: str, query: Query, fault: Fault | None) -> Response:
    world = state.world
    page = world.snapshots[resource].read_page(query.page, query.per_page, query.since_us, world.clock_us)
    return _respond_page(page) if fault is None else _STRIKES[fault.fault](page, query, fault)


def _miscount(page: Page, query: Query) -> Page:
    total = page.total + 1
    return replace(page, total=total, pages=-(-total // query.per_page))


_STRIKES: dict[FaultName, Callable[[Page, Query, Fault], Response]] = {
    "error_500": lambda _page, _query, _fault: respond_error(
        ApiError(500, "something went wrong on our side")
    ),
    "rate_limited_429": lambda _page, _query, fault: _respond_too_many(fault.seconds),
    "html_200": lambda _page, _query, _fault: Response(200, _MAINTENANCE, content_type="text/html"),
    "wrong_total": lambda page, query, _fault: _respond_page(_miscount(page, query)),
    "slow": lambda page, _query, fault: replace(_respond_page(page), delay_s=fault.seconds),
    "truncated_body": lambda page, _query, _fault: replace(_respond_page(page), transport="truncated"),
    "reset_connection": lambda page, _query, _fault: replace(_respond_page(page), transport="reset"),
}


def read_query(params: dict[str, str]) -> Query:
    """Check the parameters of a request for a resource.

    Raises:
        ApiError: 400 for a parameter that is unknown or out of range.
    """
    for name in params.keys() - {"page", "per_page", "updated_since"}:
        close = difflib.get_close_matches(name, ["page", "per_page", "updated_since"], n=1, cutoff=0.4)
        raise ApiError(
            400, f"unknown parameter {name!r}" + (f". Did you mean {close[0]!r}?" if close else "")
        )
    since = params.get("updated_since")
    return Query(
        page=_read_whole_number(params, "page", 1, 1, None),
        per_page=_read_whole_number(params, "per_page", PER_PAGE_DEFAULT, 1, PER_PAGE_MAX),
        since_us=None if since is None else parse_moment("updated_since", since),
    )


def _read_whole_number(params: dict[str, str], name: str, default: int, low: int, high: int | None) -> int:
    text = params.get(name, str(default))
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    if number is None or number < low or (high is not None and number > high):
        upper = "" if high is None else f" to {high}"
        raise ApiError(400, f"{name} must be a whole number from {low}{upper}, not {text!r}")
    return number


def _respond_page(page: Page) -> Response:
    envelope = b'],"page":%d,"pages":%d,"total":%d}' % (page.page, page.pages, page.total)
    return Response(200, b'{"data":[' + b",".join(page.records) + envelope)


def _respond_too_many(wait_s: float) -> Response:
    # RFC 9110: Retry-After counts whole seconds.
    retry_after = {"Retry-After": str(math.ceil(wait_s))}
    return respond_error(ApiError(429, "too many requests"), retry_after)
