"""Widening: the narrowest Postgres type that holds all values of two."""

import re
from collections.abc import Collection

from tasks.load.types import ARRAY

INTEGER_DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}
FLOATS = ("real", "double precision")
DOUBLE = "double precision"
TEXT = "text"
_NUMERIC = re.compile(r"numeric(?:\((\d+),(\d+)\))?")
_VARYING = re.compile(r"character( varying)?(\(\d+\))?")
_REWRITTEN_TO_TEXT = re.compile(r"character(\(\d+\))?")


def widen(there: str, data: str, widen_to: Collection[str]) -> str | None:
    """The type that a column must have to hold the data as well as what is there; None when none may.

    It is `there` itself when the data fits in. Exact kinds widen among themselves; what is exact becomes a
    float only where `widen_to` has "float", and anything text only where it has "text".
    """
    if there == data:
        return there
    if there.endswith(ARRAY) and data.endswith(ARRAY):
        items = widen(there.removesuffix(ARRAY), data.removesuffix(ARRAY), widen_to)
        return items and f"{items}{ARRAY}"
    if TEXT in (there, data) and (_VARYING.fullmatch(there) or _VARYING.fullmatch(data)):
        return TEXT
    wider = _widen_number(there, data, may_round="float" in widen_to)
    if wider is None and "text" in widen_to:
        return TEXT
    return wider


def rewrites(there: str, wider: str) -> bool:
    """Whether Postgres writes the whole table anew for this change, while its readers wait."""
    if wider == TEXT:
        return not (_VARYING.fullmatch(there) and not _REWRITTEN_TO_TEXT.fullmatch(there))
    before, after = _NUMERIC.fullmatch(there), _NUMERIC.fullmatch(wider)
    return not (before and after and (after[1] is None or before[2] == after[2]))


def _widen_number(there: str, data: str, *, may_round: bool) -> str | None:
    if there in INTEGER_DIGITS and data in INTEGER_DIGITS:
        return max(there, data, key=INTEGER_DIGITS.__getitem__)
    if there in FLOATS and data in FLOATS:
        return DOUBLE
    if there in FLOATS or data in FLOATS:
        return _widen_to_float(there, data, may_round=may_round)
    left, right = _digits(there), _digits(data)
    if left is None or right is None:
        return None
    if "numeric" in (there, data):
        return "numeric"
    scale = max(left[1], right[1])
    return f"numeric({max(left[0], right[0]) + scale},{scale})"


def _widen_to_float(there: str, data: str, *, may_round: bool) -> str | None:
    exact = data if there in FLOATS else there
    if exact not in INTEGER_DIGITS and not _NUMERIC.fullmatch(exact):
        return None
    # Every integer of 32 bits is a double.
    fits = there == DOUBLE and exact in {"smallint", "integer"}
    return DOUBLE if may_round or fits else None


def _digits(kind: str) -> tuple[int, int] | None:
    """Digits before and after the point; None for what is no exact number."""
    if kind in INTEGER_DIGITS:
        return INTEGER_DIGITS[kind], 0
    found = _NUMERIC.fullmatch(kind)
    if not found:
        return None
    return (int(found[1]) - int(found[2]), int(found[2])) if found[1] else (0, 0)
