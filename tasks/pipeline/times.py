"""Forms of time that a record may declare, beside ISO 8601: each a `datetime` once it is read.

    class Event(msgspec.Struct):
        created: EpochMilliseconds
        sent: Rfc2822 | None

A plain `datetime` takes ISO 8601 with a zone (`T` or a space between date and time), and
`Annotated[datetime, msgspec.Meta(tz=False)]` the same without a zone. Every form ends in microseconds.
"""

import datetime as dt
import decimal
import fractions
import math
import re
from email.utils import parsedate_to_datetime
from typing import Any, Self

import msgspec

_RFC_2822 = re.compile(
    r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? "
    r"(?:[+-]\d{4}|[A-Z]{1,4})(?: \(\w+\))?",
    re.ASCII,
)
_DIGITS = 20
"""A number of the years 1 to 9999 has fewer, before and after the point."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class DeclaredTime(dt.datetime):
    """A moment that is written in a form of its own."""

    @classmethod
    def read(cls, value: Any) -> Self:
        """The moment that a JSON value stands for; numbers with a fraction come as `Decimal`.

        Raises:
            ValueError: The value has another form.
        """
        raise NotImplementedError

    @classmethod
    def _at(cls, moment: dt.datetime) -> Self:
        return cls(*moment.timetuple()[:6], moment.microsecond, moment.tzinfo, fold=moment.fold)


class EpochSeconds(DeclaredTime):
    """Seconds since 1970 in UTC, as a number; a fraction may have six digits."""

    @classmethod
    def read(cls, value: Any) -> Self:
        """From a number of seconds."""
        return cls._at(_since_epoch(value, 1_000_000, "seconds"))


class EpochMilliseconds(DeclaredTime):
    """Milliseconds since 1970 in UTC, as a number; a fraction may have three digits."""

    @classmethod
    def read(cls, value: Any) -> Self:
        """From a number of milliseconds."""
        return cls._at(_since_epoch(value, 1_000, "milliseconds"))


class Rfc2822(DeclaredTime):
    """As in mail and HTTP headers: `Tue, 01 Jan 2013 05:00:00 +0000`; the zone must be there."""

    @classmethod
    def read(cls, value: Any) -> Self:
        """From text."""
        if not isinstance(value, str):
            raise ValueError(f"Expected a time as in RFC 2822, got `{_name(value)}`")  # noqa: TRY004 (msgspec wraps it)
        if not _RFC_2822.fullmatch(value):  # Python's parser finds a time in nearly anything
            raise ValueError(f"Expected a time as in RFC 2822, got {value[:60]!r}")
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, OverflowError, TypeError, IndexError):  # all of these, for odd enough a text
            raise ValueError(f"Expected a time as in RFC 2822, got {value[:60]!r}") from None
        if moment.tzinfo is None:
            raise ValueError(f"Expected a time with a zone, got {value[:60]!r}")
        return cls._at(moment)


class CutToMicroseconds(DeclaredTime):
    """ISO 8601 with a zone, whose digits behind the sixth are cut off: nanoseconds, .NET's ticks."""

    @classmethod
    def read(cls, value: Any) -> Self:
        """From text."""
        if not isinstance(value, str):
            raise ValueError(f"Expected `datetime`, got `{_name(value)}`")  # noqa: TRY004 (msgspec wraps it)
        whole, point, rest = value.partition(".")
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        try:
            moment = msgspec.convert(f"{whole}{point}{digits[:6]}{rest[len(digits) :]}", dt.datetime)
        except msgspec.ValidationError as exc:
            raise ValueError(str(exc)) from None  # msgspec adds the path to this one only
        if moment.tzinfo is None:
            raise ValueError("Expected `datetime` with a timezone component")
        return cls._at(moment)


def read_declared_time(kind: type, value: Any) -> Any:
    """The decoder's hook for the types of this module."""
    if issubclass(kind, DeclaredTime):
        return kind.read(value)
    raise NotImplementedError(f"{kind.__name__} is no type of a field")


def _since_epoch(value: Any, micros: int, unit: str) -> dt.datetime:
    if isinstance(value, bool) or not isinstance(value, int | decimal.Decimal):
        raise ValueError(f"Expected {unit} since 1970, got `{_name(value)}`")  # noqa: TRY004 (msgspec wraps it)
    size = decimal.Decimal(value).adjusted() if value else 0
    # As a fraction, since decimals round; not where that would have a million digits.
    exact = fractions.Fraction(value) * micros if abs(size) < _DIGITS else None
    if size <= -_DIGITS or (exact is not None and exact.denominator != 1):
        raise ValueError(f"Expected {unit} since 1970 of at most microseconds, got {str(value)[:60]}")
    try:
        return _EPOCH + dt.timedelta(microseconds=int(exact or 0) if size < _DIGITS else math.inf)
    except OverflowError:
        raise ValueError(
            f"Expected {unit} since 1970 in the years 1 to 9999, got {str(value)[:60]}"
        ) from None


def _name(value: Any) -> str:
    names = {str: "str", bool: "bool", int: "int", decimal.Decimal: "float", list: "array", dict: "object"}
    return names.get(type(value), "null")
