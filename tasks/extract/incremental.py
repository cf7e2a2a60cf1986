"""The cursor: what is asked for, and how far the answer moves it."""

import datetime as dt
import difflib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec
import polars as pl

from tasks.cursors import Position, parse_cursor, show_cursor
from tasks.errors import ConfigurationError
from tasks.extract.moments import show_as, step_back, subtract
from tasks.extract.pages import Answer, PageRequest
from tasks.extract.reading import Fact
from tasks.pipeline import Incremental, Resource, SyncToken

_TIMES = (pl.Datetime("us", "UTC"), pl.Datetime("us"))
Params = dict[str, str]
_NEXT_TIME = "the sync token"


def cursor_params(incremental: Incremental | SyncToken | None, cursor: str | None) -> Params:
    """The query parameter that asks for what changed since the published cursor less the lag.

    On a first load that is the declared first value, if there is one. Without a format, the cursor keeps the
    form the API sent: a date stays a date, microseconds stay.

    Raises:
        ConfigurationError: The published cursor is not what the declaration expects.
    """
    if isinstance(incremental, SyncToken):
        return {incremental.param: cursor} if incremental.param and cursor is not None else {}
    if incremental is None or incremental.param is None:
        return {}
    begin = _begin(incremental, cursor)
    return {} if begin is None else {incremental.param: _show_lower(incremental, begin)}


def cursor_url(incremental: Incremental | SyncToken | None, cursor: str | None) -> str | None:
    """The URL to ask in place of the resource's, where that is the form of the cursor."""
    is_url = isinstance(incremental, SyncToken) and incremental.param is None
    return cursor if is_url else None


def cursor_windows(
    incremental: Incremental | SyncToken | None, cursor: str | None, requested_at: dt.datetime
) -> list[Params]:
    """The query parameters of each piece to ask for, in order; one piece unless windows are declared.

    Two windows share the moment between them, since an API may take its ends in or not: a record there
    comes twice rather than not at all. The last may end a little early, in a form without fractions: what
    is left out comes with the next load, since the cursor moves only to what came.

    Raises:
        ConfigurationError: Windows of time are declared for numbers, or the other way round.
    """
    if not isinstance(incremental, Incremental) or incremental.until_param is None:
        return [cursor_params(incremental, cursor)]
    begin = _begin(incremental, cursor)
    edges = list(_edges(incremental, begin, _end(begin, requested_at)))
    pieces = []
    for lower, upper in pairwise(edges):
        piece = {incremental.until_param: show_as(upper, incremental.format)}
        if incremental.param and lower is not None:
            piece = {incremental.param: _show_lower(incremental, lower)} | piece
        pieces.append(piece)
    return pieces


def first_requests(resource: Resource, cursor: str | None, requested_at: dt.datetime) -> list[PageRequest]:
    """What the paginator starts from: one request, or one for each window."""
    start = PageRequest(
        0,
        dict(resource.params),
        url=cursor_url(resource.incremental, cursor),
        method=resource.method,
        json=resource.json_body,
    )
    windows = cursor_windows(resource.incremental, cursor, requested_at)
    return [msgspec.structs.replace(start, params={**start.params, **window}) for window in windows]


class TokenWatch:
    """Watches pages go by for the token to ask with next time."""

    def __init__(self, incremental: Incremental | SyncToken | None) -> None:
        path = incremental.path if isinstance(incremental, SyncToken) else None
        self.reads = {} if path is None else {_NEXT_TIME: Fact(path, str | None, required=False)}
        self.token: str | None = None

    def take(self, answer: Answer) -> None:
        """See a page."""
        self.token = answer.facts.get(_NEXT_TIME) or self.token


def _begin(incremental: Incremental, cursor: str | None) -> Position | None:
    if cursor is None:
        return incremental.first
    try:
        return subtract(parse_cursor(cursor), incremental.lag)
    except ValueError as exc:
        raise ConfigurationError(
            f"The published cursor {cursor!r} of field {incremental.field!r} is neither an ISO 8601 time nor "
            f"a whole number."
        ) from exc
    except TypeError as exc:
        raise ConfigurationError(
            f"The cursor of field {incremental.field!r} is {cursor}, and the lag {incremental.lag!r}: for "
            f"times and dates a lag is a timedelta, for whole numbers it is one."
        ) from exc


def _end(begin: Position | None, requested_at: dt.datetime) -> Position:
    if isinstance(begin, int):
        raise ConfigurationError(
            "Windows end at the time of the request; a cursor of whole numbers has no such end. "
            "Leave out until_param, and let the API page."
        )
    if isinstance(begin, dt.datetime):
        return requested_at if begin.tzinfo else requested_at.astimezone(dt.UTC).replace(tzinfo=None)
    return requested_at.astimezone(dt.UTC).date() if isinstance(begin, dt.date) else requested_at


def _edges(incremental: Incremental, begin: Position | None, end: Position) -> Iterator[Any]:
    yield begin
    edge: Any = begin
    while incremental.window is not None and edge is not None:
        before, edge = edge, edge + incremental.window
        if edge == before:
            raise ConfigurationError(
                f"A window of {incremental.window} is no step between the dates of {incremental.field!r}."
            )
        if edge >= end:
            break
        yield edge
    yield end


def _show_lower(incremental: Incremental, begin: Position) -> str:
    if incremental.bound == "exclusive":
        begin = step_back(begin, incremental.format)
    return show_as(begin, incremental.format)


class CursorWatch:
    """Watches decoded records go by for the greatest cursor value that is not in the future.

    A time later than that of the first request plus the declared skew does not move the cursor.
    """

    def __init__(self, resource: Resource, schema: pl.Schema, requested_at: dt.datetime) -> None:
        """Check that the cursor's field can be one.

        Raises:
            ConfigurationError: The record has no such field, or it holds neither times, dates nor numbers.
        """
        declared = resource.incremental
        self._field = declared.field if isinstance(declared, Incremental) else None
        self.cap: dt.datetime | None = None
        self._greatest: Position | None = None
        if self._field is None or not isinstance(declared, Incremental):
            return
        if self._field not in schema:
            near = difflib.get_close_matches(self._field, schema, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" It has {', '.join(schema)}."
            raise ConfigurationError(
                f"{resource.name}: the cursor's field {self._field!r} is not in the record.{hint}"
            )
        dtype = schema[self._field]
        if not (dtype in _TIMES or dtype == pl.Date() or dtype.is_integer()):
            raise ConfigurationError(
                f"{resource.name}: the cursor's field {self._field!r} is {dtype}; "
                f"it must hold times, dates or whole numbers."
            )
        if not dtype.is_integer():
            self.cap = requested_at + declared.max_skew

    def watch(self, frame: pl.DataFrame) -> None:
        """See a batch of decoded records."""
        if self._field is None:
            return
        column = frame[self._field]
        if self.cap is not None:
            cap = pl.Series([self.cap.astimezone(dt.UTC)], dtype=pl.Datetime("us", "UTC"))
            if column.dtype != cap.dtype:
                cap = cap.dt.replace_time_zone(None).cast(column.dtype)
            column = column.filter(column <= cap.item())
        seen: Any = column.max()
        if seen is not None and (self._greatest is None or seen > self._greatest):
            self._greatest = seen

    @property
    def greatest(self) -> str | None:
        """The greatest value seen, as the ledger keeps it; None when there was none."""
        return None if self._greatest is None else show_cursor(self._greatest)
