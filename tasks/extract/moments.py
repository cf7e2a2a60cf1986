"""A cursor's position in the form that an API wants, and the smallest step of that form."""

import datetime as dt

from tasks.cursors import Position, show_cursor
from tasks.errors import ConfigurationError

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UNITS = {
    None: dt.timedelta(microseconds=1),
    "iso": dt.timedelta(microseconds=1),
    "date": dt.timedelta(days=1),
    "epoch_s": dt.timedelta(seconds=1),
    "epoch_ms": dt.timedelta(milliseconds=1),
}
_PATTERN_UNITS = (
    ("%f", dt.timedelta(microseconds=1)),
    ("%S", dt.timedelta(seconds=1)),
    ("%s", dt.timedelta(seconds=1)),
    ("%M", dt.timedelta(minutes=1)),
    ("%H", dt.timedelta(hours=1)),
)


def show_as(position: Position, form: str | None) -> str:
    """The position as text; what is finer than the form is cut off, so that nothing is asked for too late.

    Raises:
        ConfigurationError: A number cannot be shown as a time, or a time as a number.
    """
    if form is None:
        return show_cursor(position)
    if isinstance(position, int) != (form == "integer"):
        kind = "a whole number" if isinstance(position, int) else "a time or date"
        raise ConfigurationError(f"The cursor {position} is {kind}, which cannot be sent as {form!r}.")
    if isinstance(position, int):
        return str(position)
    moment = _as_moment(position)
    match form:
        case "iso":
            return show_cursor(moment)
        case "date":
            return moment.date().isoformat()
        case "epoch_s" | "epoch_ms":
            return str((_in_utc(moment) - _EPOCH) // _UNITS[form])
        case _:
            return moment.strftime(form)


def subtract(position: Position, lag: dt.timedelta | int) -> Position:
    """The position so far before; the earliest there is where the calendar ends.

    Raises:
        TypeError: A time cannot be so many numbers before, nor a number a time.
    """
    if isinstance(position, int):
        return position if lag == dt.timedelta(0) else position - lag  # type: ignore[operator]  # raises
    if isinstance(lag, int):
        if lag == 0:
            return position
        raise TypeError(lag)
    try:
        return position - lag
    except OverflowError:
        if isinstance(position, dt.datetime):
            return dt.datetime.min.replace(tzinfo=position.tzinfo)
        return dt.date.min


def step_back(position: Position, form: str | None) -> Position:
    """The position one unit of the form before: asked for what comes after it, an API gives ours too."""
    if isinstance(position, int):
        return position - 1
    return subtract(position, _unit(position, form))


def _unit(position: Position, form: str | None) -> dt.timedelta:
    if form is None and not isinstance(position, dt.datetime):
        return dt.timedelta(days=1)
    if form in _UNITS:
        return _UNITS[form]
    return next((unit for mark, unit in _PATTERN_UNITS if mark in str(form)), dt.timedelta(days=1))


def _as_moment(position: dt.date) -> dt.datetime:
    if isinstance(position, dt.datetime):
        return position.astimezone(dt.UTC) if position.tzinfo else position
    return dt.datetime(position.year, position.month, position.day, tzinfo=dt.UTC)


def _in_utc(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
