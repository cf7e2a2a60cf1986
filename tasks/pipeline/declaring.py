"""What all declarations have in common: frozen, strict about field names and about the names they give."""

import difflib
import re
from collections.abc import Sequence
from typing import Annotated, Any, get_args

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, model_validator


def refuse_duplicates(kind: str, names: Sequence[str]) -> None:
    """Raise ValueError when a name is given twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{kind} declared twice: {', '.join(twice)}")


def _as_identifier(name: str) -> str:
    # Postgres cuts names after 63 bytes, and a staging table's begins with its load's.
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", name):
        raise ValueError(
            f"{name!r} must be lower-case letters, digits and underscores, begin with a letter, and be at "
            "most 50 long"
        )
    return name


def _as_columns(names: tuple[str, ...]) -> tuple[str, ...]:
    refuse_duplicates("column", names)
    return names


def _describe_record(record: type[msgspec.Struct]) -> dict[str, list[Any]]:
    """What a landed record is read as: names, types, and what a missing field means."""
    return {
        field.encode_name: [
            field.name,
            str(field.type),
            "required" if field.required else repr(field.default),
            *map(_describe_record, _records_in(field.type)),
        ]
        for field in msgspec.structs.fields(record)
    }


def _records_in(kind: Any) -> list[type[msgspec.Struct]]:
    """The record types that a field's type is made of."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    return [record for each in get_args(kind) for record in _records_in(each)]


Identifier = Annotated[str, AfterValidator(_as_identifier)]
Key = Annotated[tuple[str, ...], AfterValidator(_as_columns)]
Columns = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_as_columns)]
RecordType = Annotated[type[msgspec.Struct], PlainSerializer(_describe_record)]


class Declaration(BaseModel):
    """Base of all declarations: frozen, strict about field names."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _suggest_fields(cls, given: Any) -> Any:
        unknown = [name for name in given if name not in cls.model_fields] if isinstance(given, dict) else []
        for name in unknown:
            if near := difflib.get_close_matches(name, cls.model_fields, n=1):
                raise ValueError(f"there is no field {name!r}. Did you mean {near[0]!r}?")
        return given
