"""Say why a record cannot be decoded: its JSON path, the type wanted and the type found."""

import re

import msgspec

Problem = tuple[str, str]
"""JSON path within the record, and the reason."""

BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError)
"""All that a decoder raises for a record; the last for an exponent of 19 digits."""

_WHERE = re.compile(r"(?P<message>.*) - at `\$(?P<path>.*)`", re.DOTALL)
_NO_NUMBER = re.compile(rb"[:\[,\s](NaN|-?Infinity)\b")
_SURROGATE = re.compile(rb"\\(?:u([dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL)


def describe_problem(record: bytes, exc: Exception) -> Problem:
    """Path and reason, from what the decoder raised for a record."""
    if isinstance(exc, msgspec.ValidationError):
        where = _WHERE.fullmatch(str(exc))
        return (where["path"], where["message"]) if where else ("", str(exc))
    if isinstance(exc, RecursionError):
        return "", "Nested too deeply to be read"
    if isinstance(exc, ArithmeticError):
        return "", "Number out of range"
    if found := _NO_NUMBER.search(record):
        return "", f"Not valid JSON: {found[1].decode()} is no JSON number"
    if _has_half_pair(record):
        return "", "Not valid JSON: text with half of a surrogate pair"
    return "", f"Not valid JSON: {exc}"


def _has_half_pair(record: bytes) -> bool:
    """Whether an escape of U+D800 to U+DFFF stands without its other half."""
    high_at = -1
    for escape in _SURROGATE.finditer(record):
        if escape[1] is None:
            continue
        is_low = escape[1][1:2] in b"cCdDeEfF"
        if is_low != (high_at == escape.start()):
            return True
        high_at = -1 if is_low else escape.end()
    return high_at >= 0
