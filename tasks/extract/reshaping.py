"""Rows out of JSON that is no list of objects: the parts are moved, and each value kept as it was written.

Values stay JSON text (`Raw`) on the way, so that no number is read and written again.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from tasks.pipeline.records import (
    ColumnArrays,
    GeoJsonFeatures,
    KeyedRecords,
    RecordForm,
    RecordList,
    RowArrays,
    SingleRecord,
)

Fields = dict[str, Raw]
Rows = Iterator[Fields]

_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_ARRAY = msgspec.json.Decoder(list[Raw])
_OBJECTS = msgspec.json.Decoder(list[dict[str, Raw]])
_ARRAYS = msgspec.json.Decoder(list[list[Raw]])
_COLUMNS = msgspec.json.Decoder(dict[str, list[Raw]])
_NAMES = msgspec.json.Decoder(list[str])
_NULL = Raw(b"null")
_POINT = ("longitude", "latitude", "elevation")


def reshape(form: RecordForm, value: Raw, carried: Mapping[str, Raw], names: Raw) -> Raw:
    """The rows as a JSON list of objects, the carried fields in each where the row has none of that name.

    Args:
        form: How the rows are written.
        value: What stands at the form's path.
        carried: Fields from around the rows.
        names: What stands at the path of the names of a `RowArrays`.

    Raises:
        ValueError: They are not written in this form.
    """
    rows = _FORMS[type(form)](form, value, names)
    return Raw(msgspec.json.encode([{**carried, **row} for row in rows] if carried else list(rows)))


def _list(_form: RecordList, value: Raw, _names: Raw) -> Rows:
    return iter(_OBJECTS.decode(value))


def _single(_form: SingleRecord, value: Raw, _names: Raw) -> Rows:
    yield _OBJECT.decode(value)


def _keyed(form: KeyedRecords, value: Raw, _names: Raw) -> Rows:
    return _walk_keys(form, value, {}, 0)


def _walk_keys(form: KeyedRecords, value: Raw, outer: Fields, level: int) -> Rows:
    for key, inner in _OBJECT.decode(value).items():
        keys = {**outer, form.keys[level]: Raw(msgspec.json.encode(key))}
        if level + 1 < len(form.keys):
            yield from _walk_keys(form, inner, keys, level + 1)
        elif form.value is None:
            yield {**_OBJECT.decode(inner), **keys}
        else:
            yield {**keys, form.value: inner}


def _columns(_form: ColumnArrays, value: Raw, _names: Raw) -> Rows:
    columns = _COLUMNS.decode(value)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} {length}" for name, length in lengths.items())
        raise ValueError(f"the columns are not of one length: {told}")
    return (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


def _rows(form: RowArrays, value: Raw, names: Raw) -> Rows:
    rows = _ARRAYS.decode(value)
    if isinstance(form.names, tuple):
        fields = list(form.names)
    elif form.names is not None:
        fields = _NAMES.decode(names)
    else:
        fields = [msgspec.json.decode(name, type=str) for name in rows.pop(0)] if rows else []
    if len(set(fields)) < len(fields):
        raise ValueError("a name stands twice among the names of the rows")
    for position, row in enumerate(rows):
        if len(row) != len(fields):
            raise ValueError(f"row {position} has {len(row)} values for {len(fields)} names")
        yield dict(zip(fields, row, strict=True))


def _features(_form: GeoJsonFeatures, value: Raw, _names: Raw) -> Rows:
    for feature in _OBJECTS.decode(value):
        properties = feature.get("properties", _NULL)
        own = {} if properties == _NULL else _OBJECT.decode(properties)
        geometry = _geometry(feature.get("geometry", _NULL))
        yield {**({"id": feature["id"]} if "id" in feature else {}), **geometry, **own}


def _geometry(geometry: Raw) -> Fields:
    if geometry == _NULL:
        return dict.fromkeys(_POINT, _NULL)
    parts = _OBJECT.decode(geometry)
    if parts.get("type") != Raw(b'"Point"') or "coordinates" not in parts:
        return {"geometry": geometry}
    place = _ARRAY.decode(parts["coordinates"])
    return {name: place[axis] if axis < len(place) else _NULL for axis, name in enumerate(_POINT)}


_FORMS: dict[type, Callable[[Any, Raw, Raw], Rows]] = {
    RecordList: _list,
    SingleRecord: _single,
    KeyedRecords: _keyed,
    ColumnArrays: _columns,
    RowArrays: _rows,
    GeoJsonFeatures: _features,
}
