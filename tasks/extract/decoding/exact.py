"""Find values that a decoder would round: numbers beyond a double, times finer than a microsecond."""

import datetime as dt
import decimal
import math
import re
import types
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import Raw, Struct

Found = tuple[str, str]
"""Path within the record, and what is wrong there."""

_EXACT_DIGITS = 15
"""Every decimal number of so many digits comes back from a double as it was."""

_AS_ZEROS = bytes.maketrans(b"123456789.", b"0000000000")
_MANY_DIGITS = b"0" * (_EXACT_DIGITS + 1)
_TINY = re.compile(rb"[eE]-0*\d{3}")
_SEVEN_DIGITS = re.compile(rb"\.\d{7}")
FINE_TIME = re.compile(rb":\d\d\.\d{6}\d*[1-9]")


def may_round(body: bytes) -> bool:
    """Whether any number in a body could be one that a double rounds; cheap, and right when it says no."""
    if _MANY_DIGITS in body.translate(_AS_ZEROS):
        return True
    return (b"e-" in body or b"E-" in body) and _TINY.search(body) is not None


def rounds(number: str) -> bool:
    """Whether a JSON number is changed by becoming a double.

    A number with a point or an exponent is not when it is the double, rounded to as many digits as were sent:
    0.1 passes, and so does 0.10000000000000001, as which some languages write the same double. An integer
    must be the double exactly: 9007199254740993 is none.
    """
    try:
        exact = decimal.Decimal(number)
    except decimal.InvalidOperation:  # an exponent of 19 digits
        return True
    double = float(number)
    if double == 0 or math.isinf(double):
        return exact != double
    if number.lstrip("-").isdigit():
        return exact != decimal.Decimal(double)
    digits = "".join(map(str, exact.as_tuple().digits)).rstrip("0")
    last_place = decimal.Decimal(1).scaleb(exact.adjusted() - len(digits) + 1)
    # Twice, because a tie may have been rounded either way.
    return abs(decimal.Decimal(double) - exact) * 2 > last_place


def fits_decimal(number: decimal.Decimal, whole: int, fraction: int) -> bool:
    """Whether a number has so many digits at most before and after the point, trailing zeros apart."""
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):  # infinite, or no number
        return False
    significant = "".join(map(str, digits)).rstrip("0")
    if not significant:
        return True
    return number.adjusted() < whole and exponent + len(digits) - len(significant) >= -fraction


class ExactnessCheck:
    """Looks at the numbers and times of a record type as they were sent."""

    def __init__(self, record: type[Struct]) -> None:
        kinds = set(_leaves(record))
        self._has_floats = float in kinds
        self._has_times = dt.datetime in kinds
        texts = _mirror(record)
        self._texts: msgspec.json.Decoder[Any] | None = texts and msgspec.json.Decoder(texts)
        self._all_texts: msgspec.json.Decoder[Any] | None = texts and msgspec.json.Decoder(
            list[texts]  # type: ignore[valid-type]  # built at run time
        )

    def is_suspect(self, body: bytes) -> bool:
        """Whether a body may hold a value that is rounded: all but one in a few thousand do not."""
        if self._has_floats and may_round(body):
            return True
        # Looking for one byte first is ten times faster, and many bodies have no point at all.
        if not self._has_times or b"." not in body:
            return False
        return _SEVEN_DIGITS.search(body) is not None and FINE_TIME.search(body) is not None

    def holds_all(self, records: Raw) -> bool:
        """Whether no value of these records, which fit their type, would be rounded."""
        return self._all_texts is None or _find(self._all_texts.decode(records)) is None

    def find(self, record: bytes) -> Found | None:
        """The first value that would be rounded in a record that fits its type."""
        return _find(self._texts.decode(record)) if self._texts and self.is_suspect(record) else None


def _find(value: Any) -> Found | None:
    if isinstance(value, Raw):
        reason = _why(bytes(value))
        return ("", reason) if reason else None
    if isinstance(value, list):
        parts: Sequence[tuple[str, Any]] = [(f"[{index}]", each) for index, each in enumerate(value)]
    elif isinstance(value, Struct):
        names = type(value).__struct_encode_fields__
        parts = [(f".{name}", each) for name, each in zip(names, msgspec.structs.astuple(value), strict=True)]
    else:
        return None
    for step, each in parts:
        if found := _find(each):
            return step + found[0], found[1]
    return None


def _why(text: bytes) -> str | None:
    if text.startswith(b'"'):
        if not FINE_TIME.search(text):
            return None
        return f"Expected a time of at most microseconds, got {text.decode()}"
    is_short = len(text) <= _EXACT_DIGITS and b"-" not in text[1:]
    if text[:1] in b"-0123456789" and not is_short and rounds(text.decode()):
        return f"Expected a number that `float` holds exactly, got {text[:60].decode()}, which it would round"
    return None


def _leaves(kind: Any) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, Struct):
        return [leaf for field in msgspec.structs.fields(kind) for leaf in _leaves(field.type)]
    if get_origin(kind) is Annotated:
        return _leaves(get_args(kind)[0])
    return [leaf for each in get_args(kind) for leaf in _leaves(each)] or [kind]


def _mirror(kind: Any) -> Any:
    """The same type with floats and times as they were sent, and without all else; None without any."""
    origin, args = get_origin(kind), get_args(kind)
    if kind in (float, dt.datetime):
        return Raw
    if origin is Annotated:
        return _mirror(args[0])
    if origin in (Union, types.UnionType):
        inner = next(filter(None, map(_mirror, args)), None)
        return inner if inner in (None, Raw) else inner | None
    if origin is list:
        inner = _mirror(args[0])
        return inner and list[inner]  # type: ignore[valid-type]  # built at run time
    if isinstance(kind, type) and issubclass(kind, Struct):
        fields = [
            (
                field.name,
                inner if inner is Raw else inner | None,
                msgspec.field(name=field.encode_name, default=Raw(b"") if inner is Raw else None),
            )
            for field in msgspec.structs.fields(kind)
            if (inner := _mirror(field.type))
        ]
        return msgspec.defstruct(kind.__name__, fields) if fields else None
    return None
