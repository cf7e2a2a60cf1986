"""Quick copies of Pydantic's fields are those that `deepcopy` makes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import great_expectations.expectations as gxe
import pytest
from great_expectations.compatibility.pydantic import BaseModel
from great_expectations.datasource.fluent.pandas_datasource import PandasDatasource

from expectations.engine.assets import PolarsDataFrameAsset
from expectations.engine.field_copies import quick_field_copies

MODELS: list[type[BaseModel]] = [
    *(getattr(gxe, name) for name in dir(gxe) if name.startswith("Expect")),
    PandasDatasource,
    PolarsDataFrameAsset,
]


def contents(value: Any, seen: dict[int, int]) -> Any:
    """All that a field holds, with a number for each object, so that what is shared shows."""
    if isinstance(value, dict):
        return {key: contents(each, seen) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return type(value), [contents(each, seen) for each in value]
    slots = [slot for kind in type(value).__mro__ for slot in getattr(kind, "__slots__", ())]
    if not slots or isinstance(value, type):
        return value
    number = seen.setdefault(id(value), len(seen))
    return type(value), number, {slot: contents(getattr(value, slot, ...), seen) for slot in slots}


@pytest.mark.parametrize("model", MODELS)
def test_a_quick_copy_is_a_deep_copy(model: type[BaseModel]) -> None:
    slow = deepcopy(model.__fields__)
    with quick_field_copies():
        quick = deepcopy(model.__fields__)
    assert contents(quick, {}) == contents(slow, {})
    for name, field in quick.items():
        original = model.__fields__[name]
        assert field is not original
        assert field.field_info is not original.field_info
        assert field.class_validators is not original.class_validators


def test_fields_are_copied_as_ever_afterwards() -> None:
    with quick_field_copies():
        pass
    field = PolarsDataFrameAsset.__fields__["name"]
    assert not hasattr(field, "__deepcopy__")
    assert not hasattr(field.field_info, "__deepcopy__")
