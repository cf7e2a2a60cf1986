"""Record types that let nothing pass unseen, from a declaration, from a learned schema, or from both."""

import datetime as dt
import decimal
import functools
import types
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Raw, Struct

from tasks.schema import NO_FIELDS, UNKNOWN, Kind

LEARNED, UNTYPED, DROPPED = "learned_", "untyped_", "dropped_"
"""How the attributes begin that the declaration does not name; behind it is the key in hexadecimal."""

_LEAST, _GREATEST = -(2**63), 2**63 - 1
_EMPTY = Annotated[list[Any], Meta(max_length=0)] | Annotated[dict[str, Any], Meta(max_length=0)] | None
_SCALARS: dict[str, Any] = {
    "boolean": bool,
    "integer": Annotated[int, Meta(ge=_LEAST, le=_GREATEST)],
    "float": float,
    "text": str,
    "time": Annotated[dt.datetime, Meta(tz=True)],
    "local time": Annotated[dt.datetime, Meta(tz=False)],
    "date": dt.date,
}


class NoRecord(Struct, frozen=True):
    """What a resource without a declared record begins from."""


def build_record(
    declared: type[Struct], learned: Kind = NO_FIELDS, dropped: Kind = NO_FIELDS, *, is_strict: bool = True
) -> type[Struct]:
    """The declared record type, tightened, with the learned fields behind its own.

    Integers are held to 64 bits and times to having a zone, since one without could be any of 26 hours,
    unless the field is declared without: `Annotated[datetime, Meta(tz=False)]`. The type's own checks
    (`__post_init__`, `Meta`) stay. Learned fields may be null or missing.

    Args:
        declared: The record type, `NoRecord` without any.
        learned: Fields beyond it.
        dropped: Fields beyond both, to be counted and left out.
        is_strict: Whether any other field, and a value where all were empty, is an error.
    """
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(declared):
        key = field.encode_name
        kind = _tighten(field.type, _at(learned, key), _at(dropped, key), is_strict=is_strict)
        fields.append((field.name, kind, _keep_default(field)))
    known = {field.encode_name for field in msgspec.structs.fields(declared)}
    for key, kind in learned.fields.items():
        if key not in known and kind.is_typed:
            made = _type_of(kind, _at(dropped, key), is_strict=is_strict)
            fields.append((_attribute(LEARNED, key), made, _optional(key, made)))
    known |= {key for key, kind in learned.fields.items() if kind.is_typed}
    if is_strict:
        fields += _others(learned, dropped, known)
    # A declaration that forbids unknown fields keeps doing so.
    forbids = is_strict or declared.__struct_config__.forbid_unknown_fields
    # What comes out of JSON holds no cycles, and is made in a twelfth less time when nobody looks for them.
    return msgspec.defstruct(
        declared.__name__, fields, bases=(declared,), kw_only=True, gc=False, forbid_unknown_fields=forbids
    )


def describe_known(record: type[Struct]) -> Kind:
    """The fields that a record type names, at any depth; what they hold counts for nothing."""
    fields = {f.encode_name: _describe_type(f.type) for f in msgspec.structs.fields(record)}
    return Kind("object", fields=fields)


def key_of(attribute: str, prefix: str) -> str | None:
    """The JSON key of a field that the declaration does not name; None for any other."""
    return bytes.fromhex(attribute[len(prefix) :]).decode() if attribute.startswith(prefix) else None


def _others(learned: Kind, dropped: Kind, known: set[str]) -> list[tuple[str, Any, Any]]:
    """Fields that are met and not wanted: those to be dropped, and those that were always empty."""
    drop = [key for key in dropped.fields if key not in known]
    empty = [key for key in learned.fields if key not in known and key not in dropped.fields]
    return [
        *(
            (
                _attribute(UNTYPED, key),
                _type_of(_at(learned, key), UNKNOWN),
                msgspec.field(name=key, default=None),
            )
            for key in empty
        ),
        *((_attribute(DROPPED, key), Raw, msgspec.field(name=key, default=Raw(b""))) for key in drop),
    ]


def _attribute(prefix: str, key: str) -> str:
    return f"{prefix}{key.encode().hex()}"


def _optional(key: str, kind: Any) -> Any:
    return msgspec.field(name=key, default=Raw(b"") if kind is Raw else None)


def _keep_default(field: msgspec.structs.FieldInfo) -> Any:
    if field.required:
        return msgspec.field(name=field.encode_name)
    if field.default_factory is msgspec.NODEFAULT:
        return msgspec.field(name=field.encode_name, default=field.default)
    return msgspec.field(name=field.encode_name, default_factory=field.default_factory)


def _at(kind: Kind, key: str) -> Kind:
    return kind.fields.get(key, UNKNOWN)


def _type_of(kind: Kind, dropped: Kind, *, is_strict: bool = True) -> Any:
    """The type that decodes a learned kind; null is always allowed."""
    made = _type_of_value(kind, dropped, is_strict=is_strict)
    return made if made is Raw else made | None


def _type_of_value(kind: Kind, dropped: Kind, *, is_strict: bool) -> Any:
    match kind.type:
        case "numeric":
            return Annotated[decimal.Decimal, Meta(extra={"scale": kind.scale})]
        case "list":
            return list[_type_of(kind.item or UNKNOWN, dropped.item or UNKNOWN, is_strict=is_strict)]  # type: ignore[misc]  # built at run time
        case "object":
            return build_record(NoRecord, kind, dropped, is_strict=is_strict)
        case "unknown":
            return _EMPTY
        case "json":
            return Raw
        case scalar:
            return _SCALARS[scalar]


def _tighten(kind: Any, learned: Kind, dropped: Kind, *, is_strict: bool) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    tighten = functools.partial(_tighten, is_strict=is_strict)
    if origin is Annotated:
        metas = [meta for meta in args[1:] if isinstance(meta, Meta)]
        plain = (
            _tighten_plain(args[0], metas)
            if args[0] in (int, dt.datetime)
            else tighten(args[0], learned, dropped)
        )
        return functools.reduce(lambda inner, meta: Annotated[inner, meta], args[1:], plain)
    if origin in (Union, types.UnionType):
        return Union[tuple(tighten(each, learned, dropped) for each in args)]  # noqa: UP007 (built at run time)
    if origin is list:
        return list[tighten(args[0], learned.item or UNKNOWN, dropped.item or UNKNOWN)]  # type: ignore[misc]  # built at run time
    if isinstance(kind, type) and issubclass(kind, Struct):
        return build_record(kind, learned, dropped, is_strict=is_strict)
    return _tighten_plain(kind, [])


def _tighten_plain(kind: Any, metas: Sequence[Meta]) -> Any:
    if kind in (dt.datetime, dt.time) and all(meta.tz is None for meta in metas):
        return Annotated[kind, Meta(tz=kind is dt.datetime)]
    if kind is int:
        if all(meta.ge is None and meta.gt is None for meta in metas):
            kind = Annotated[kind, Meta(ge=_LEAST)]
        if all(meta.le is None and meta.lt is None for meta in metas):
            kind = Annotated[kind, Meta(le=_GREATEST)]
    return kind


def _describe_type(kind: Any) -> Kind:
    origin, args = get_origin(kind), get_args(kind)
    if origin is list:
        return Kind("list", item=_describe_type(args[0]))
    if isinstance(kind, type) and issubclass(kind, Struct):
        return describe_known(kind)
    if origin is Annotated:
        return _describe_type(args[0])
    nested = [each for each in map(_describe_type, args) if each.type != "json"] if args else []
    return nested[0] if nested else Kind("json")
