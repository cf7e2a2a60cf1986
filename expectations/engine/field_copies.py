"""Quicker copies of Pydantic's fields: every model copies those of its bases, and GX is 375 models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from types import BuiltinFunctionType, FunctionType, NoneType
from typing import Any

try:
    from pydantic.v1.fields import FieldInfo, ModelField, Undefined
except ImportError:  # Pydantic 1 itself
    from pydantic.fields import FieldInfo, ModelField, Undefined  # type: ignore[assignment,attr-defined,no-redef]

_FIELDS: tuple[Any, ...] = (ModelField, FieldInfo)
_COPIED_AS_THEY_ARE = {NoneType, bool, int, float, str, BuiltinFunctionType, FunctionType, type(Undefined)}


@contextmanager
def quick_field_copies() -> Iterator[None]:
    """Let `deepcopy` of a field look only at what can differ in the copy; the copies are the same."""
    for kind in _FIELDS:
        kind.__deepcopy__ = _copy_slots
    try:
        yield
    finally:
        for kind in _FIELDS:
            del kind.__deepcopy__


def _copy_slots(original: Any, memo: dict[int, Any]) -> Any:
    """Do what `deepcopy` does with an object that has slots: these have 50, nearly all None or a function."""
    _, _, (_, slots) = original.__reduce_ex__(4)[:3]
    copy = object.__new__(type(original))
    memo[id(original)] = copy
    for name, value in slots.items():
        is_same = type(value) in _COPIED_AS_THEY_ARE or isinstance(value, type)
        setattr(copy, name, value if is_same else deepcopy(value, memo))
    return copy
