"""Cursors as the ledger keeps them: text that is a time, a date, a whole number, or means nothing to us."""

import datetime as dt
import re

_INTEGER = re.compile(r"-?\d+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Position = dt.datetime | dt.date | int
"""A cursor that can be compared; a time without a zone is one of its own kind."""


def parse_cursor(text: str) -> Position:
    """The position that a cursor stands for: ISO 8601, or the digits of a whole number.

    Raises:
        ValueError: It is neither.
    """
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DATE.fullmatch(text):
        return dt.date.fromisoformat(text)
    return dt.datetime.fromisoformat(text)


def show_cursor(position: Position) -> str:
    """The cursor as text, times with a zone in UTC with `Z` and all their microseconds."""
    if isinstance(position, int):
        return str(position)
    if isinstance(position, dt.datetime) and position.tzinfo:
        return position.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return position.isoformat()


def is_later(found: str, published: str | None) -> bool:
    """Whether a cursor is beyond the published one.

    So is one of another kind, since the declaration has changed then, and an opaque one that differs.
    """
    if published is None:
        return True
    try:
        new, old = parse_cursor(found), parse_cursor(published)
        return bool(new > old)  # type: ignore[operator]  # of two kinds: see below
    except (ValueError, TypeError):
        return found != published


def are_comparable(one: str, other: str) -> bool:
    """Whether one of two cursors lies before the other, or both are the same position."""
    try:
        return parse_cursor(one) <= parse_cursor(other) or True  # type: ignore[operator]  # of two kinds
    except (ValueError, TypeError):
        return False


def least(cursors: list[str]) -> str:
    """The one that is furthest behind; all are of one kind."""
    return min(cursors, key=parse_cursor)
