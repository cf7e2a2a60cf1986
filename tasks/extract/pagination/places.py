"""From the places that a declaration names to facts, and from a value to its place in a request."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tasks.errors import ConfigurationError
from tasks.extract.pages import PageRequest
from tasks.extract.pagination.protocol import HeaderFact, Reads
from tasks.extract.reading import Fact
from tasks.pipeline.paging import Header, Place, SendIn
from tasks.pipeline.paths import Step, parse_path

Total = (
    Annotated[int, Meta(ge=0)]
    | Annotated[float, Meta(ge=0, multiple_of=1)]
    | Annotated[str, Meta(pattern=r"^\s*([A-Za-z]*\s*(\d+-\d+|\*)/)?\d+\s*$")]
    | None
)
"""A number, also one written as 95.0 or as text, or the `Content-Range` of RFC 9110: `items 0-9/95`."""


def fact_of(place: Place, kind: Any, *, required: bool = False) -> Fact | HeaderFact:
    """What to read at a place."""
    if isinstance(place, Header):
        return HeaderFact(place.name, kind, required)
    return Fact(place, kind, required)


def facts_of(kind: Any, *, required: bool = False, **places: Place | None) -> Reads:
    """What to read at those places that are declared, by name."""
    return {name: fact_of(place, kind, required=required) for name, place in places.items() if place}


def send(request: PageRequest, send_in: SendIn, values: dict[str, Any]) -> PageRequest:
    """The request with these parameters: as text in query or headers, or at their paths in the JSON body."""
    if not values:
        return request
    if send_in != "body":
        texts = {name: _as_text(name, value) for name, value in values.items()}
        if send_in == "header":
            return msgspec.structs.replace(request, headers={**request.headers, **texts})
        return msgspec.structs.replace(request, params={**request.params, **texts})
    body = request.json
    for path, value in values.items():
        body = _put(body, parse_path(path), value)
    return msgspec.structs.replace(request, json=body)


def _as_text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ConfigurationError(
        f"The value for the parameter {name!r} is {value!r}; only text and numbers fit there. "
        f'If it goes into the body, declare send_in="body".'
    )


def _put(body: Any, path: tuple[Step, ...], value: Any) -> Any:
    """A copy of the body with the value at its path; objects on the way are made."""
    if not path:
        return value
    step, *rest = path
    if isinstance(step, int) or not (body is None or isinstance(body, dict)):
        raise ConfigurationError(f"No value can be put at {path!r} into the body {body!r}.")
    return {**(body or {}), step: _put((body or {}).get(step), tuple(rest), value)}
