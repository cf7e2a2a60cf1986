"""Values that a decoder lets pass and Postgres, or the frame, cannot hold."""

import datetime as dt
import decimal
import re
from collections.abc import Callable
from typing import Any

from msgspec import Raw, Struct

from tasks.extract.decoding.exact import fits_decimal
from tasks.extract.decoding.makers import DECIMAL_DIGITS

Found = tuple[str, str]
"""Path, and what is wrong there."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC) - _EPOCH
_LATEST = dt.datetime.max.replace(tzinfo=dt.UTC) - _EPOCH
_ESCAPE = re.compile(rb"\\(u0000|.)", re.DOTALL)


def may_be_unstorable(body: bytes, *, has_raw: bool) -> bool:
    """Whether a body may hold such a value, decimals and times apart: NUL, bytes that are no text."""
    # Looking for one byte first is eight times faster, and most pages have no escapes.
    if b"\\" in body and b"\\u0000" in body:
        return True
    # The decoder reads all text but that which is kept as it came.
    return has_raw and not body.isascii() and _why_raw(body) is not None


def remove_nul(record: bytes) -> bytes:
    """The record without the character U+0000, which JSON writes as an escape."""
    return _ESCAPE.sub(lambda found: b"" if found[1] == b"u0000" else found[0], record)


def find_unstorable(value: Any, scale: int, inside: Callable[[Struct], Found | None] | None) -> Found | None:
    """The first value that cannot be stored; `inside` looks into objects."""
    if isinstance(value, list):
        for index, each in enumerate(value):
            if found := find_unstorable(each, scale, inside):
                return f"[{index}]{found[0]}", found[1]
        return None
    if isinstance(value, Struct):
        return inside(value) if inside else None
    reason = _why(value, scale)
    return ("", reason) if reason else None


def _why(value: Any, scale: int) -> str | None:
    if isinstance(value, str):
        has_nul = "\0" in value
        return "Text with the character \\u0000, which Postgres cannot store" if has_nul else None
    if isinstance(value, dt.datetime):
        is_near = value.tzinfo is None or _EARLIEST <= value - _EPOCH <= _LATEST
        return None if is_near else "A time that is outside the years 1 to 9999 in UTC"
    if isinstance(value, decimal.Decimal):
        return _why_decimal(value, scale)
    return _why_raw(bytes(value)) if isinstance(value, Raw) else None


def _why_decimal(value: decimal.Decimal, scale: int) -> str | None:
    whole = DECIMAL_DIGITS - scale
    if fits_decimal(value, whole, scale):
        return None
    shown = str(value) if len(str(value)) < 60 else f"{str(value)[:60]}…"
    return f"Expected a decimal of up to {whole} digits before and {scale} after the point, got {shown}"


def _why_raw(text: bytes) -> str | None:
    try:
        text.decode()
    except UnicodeDecodeError as exc:
        return f"Not valid UTF-8: {exc.reason} at byte {exc.start}"
    return None
