"""Learned schemas: what the fields of a resource's records were found to hold, as the ledger keeps it."""

from typing import Literal

import msgspec
from msgspec import Struct

KindName = Literal[
    "unknown",
    "boolean",
    "integer",
    "float",
    "numeric",
    "text",
    "time",
    "local time",
    "date",
    "json",
    "list",
    "object",
]
"""`unknown`: only nulls and empty values so far. `time` has a zone, `local time` has none. `json`: values of
several kinds, kept as JSON text."""


class Kind(Struct, frozen=True, omit_defaults=True):
    """What a value is: `scale` of a numeric, `item` of a list, `fields` of an object by JSON key."""

    type: KindName
    scale: int = 0
    item: "Kind | None" = None
    fields: dict[str, "Kind"] = {}

    @property
    def is_typed(self) -> bool:
        """Whether it can be a column: anything in it was ever more than null or empty."""
        if self.type == "object":
            return any(kind.is_typed for kind in self.fields.values())
        return self.item is not None and self.item.is_typed if self.type == "list" else self.type != "unknown"

    def __str__(self) -> str:
        match self.type:
            case "list":
                return f"list of {self.item}"
            case "object":
                return f"object of {', '.join(self.fields)}"
            case _:
                return self.type


class LearnedSchema(Struct, frozen=True):
    """What was learned of a resource's records beyond their declaration; `version` counts from 1."""

    version: int
    kind: Kind


UNKNOWN = Kind("unknown")
NO_FIELDS = Kind("object")


def extend(known: Kind, found: Kind) -> Kind:
    """`known` with what `found` adds to it; fields in the order in which they were met."""
    if known.type == "unknown":
        return found
    if known.type == found.type == "list":
        return msgspec.structs.replace(known, item=extend(known.item or UNKNOWN, found.item or UNKNOWN))
    if known.type == found.type == "object":
        fields = dict(known.fields)
        for key, kind in found.fields.items():
            fields[key] = extend(fields[key], kind) if key in fields else kind
        return msgspec.structs.replace(known, fields=fields)
    return known


def list_fields(kind: Kind, path: str = "") -> dict[str, Kind]:
    """The innermost fields by dotted path, `[]` standing for a list's items."""
    if kind.type == "object" and kind.fields:
        found: dict[str, Kind] = {}
        for key, each in kind.fields.items():
            found |= list_fields(each, f"{path}.{key}" if path else key)
        return found
    if kind.type == "list" and kind.item:
        return list_fields(kind.item, f"{path}[]") if kind.item.type == "object" else {path: kind}
    return {path: kind}
