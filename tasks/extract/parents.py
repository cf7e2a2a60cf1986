"""The records of a parent, and what each of its children is asked with."""

import datetime as dt
import difflib
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import polars as pl
from msgspec import Raw, Struct

from tasks.errors import ConfigurationError
from tasks.extract.pages import Answer, PageRequest, iso
from tasks.handover import Extracted
from tasks.pipeline import Resource
from tasks.pipeline.parent import find_needed
from tasks.pipeline.paths import parse_path
from tasks.pipeline.templates import fill_body, fill_text

_log = logging.getLogger(__name__)


class Family(Struct, frozen=True):
    """One parent as its children need it: the requests that ask for them, and what they receive of it."""

    starts: Sequence[PageRequest]
    carry: Mapping[str, Any]


def read_families(child: Resource, parent: Extracted, starts: Sequence[PageRequest]) -> Iterator[Family]:
    """A family for each of the parent's records, in their order, read part by part.

    Args:
        child: The resource with the placeholders.
        parent: The extracted parent.
        starts: What the child is asked with, its placeholders not yet filled.

    Raises:
        ConfigurationError: The parent's frame has no such field.
    """
    assert child.parent is not None
    needed = {
        field for start in starts for field in find_needed(start.path or child.path, start.params, start.json)
    }
    fields = child.parent.fields_used(sorted(needed))
    seen: set[bytes] = set()
    without = 0
    for record in _read_records(child, parent, fields):
        key = msgspec.json.encode(record)
        if key in seen:
            continue
        seen.add(key)
        if any(record[field] is None for field in needed):
            without += 1
            continue
        carry = {name: record[field] for name, field in child.parent.carry.items()}
        yield Family([_fill_request(child, start, record) for start in starts], carry)
    if without:
        _log.warning(
            "%s: %d records of %s have null in a field that is needed to ask for their children.",
            child.name,
            without,
            parent.resource,
        )


def carry_into(answer: Answer) -> Answer:
    """The answer with what the parent gives to each record put into it, as fields of its own."""
    carry = msgspec.json.decode(answer.page.next_state).get("carry")
    if not carry:
        return answer
    fields = msgspec.json.encode(carry)[1:]
    records = [_add(record, fields) for record in answer.cut()]
    joined = Raw(b"[" + b",".join(records) + b"]") if isinstance(answer.records, Raw) else records
    return msgspec.structs.replace(answer, records=joined)


def _add(record: bytes, fields: bytes) -> bytes:
    """`{"a": 1}` and `"b": 2}` make `{"a": 1,"b": 2}`; what is no object is left as it is, to be rejected."""
    if not (record.startswith(b"{") and record.endswith(b"}")):
        return record
    inner = record[1:-1].strip()
    return b"{" + inner + (b"," if inner else b"") + fields


def _read_records(child: Resource, parent: Extracted, fields: Sequence[str]) -> Iterator[dict[str, Any]]:
    paths = {field: parse_path(field) for field in fields}
    columns = list(dict.fromkeys(str(path[0]) for path in paths.values()))
    for part in sorted(Path(parent.frames).glob("*.parquet")):
        schema = pl.read_parquet_schema(part)
        for column in columns:
            if column not in schema:
                raise _unknown(child, parent.resource, column, list(schema))
        for row in pl.read_parquet(part, columns=columns).iter_rows(named=True, buffer_size=512):
            yield {field: _plain(_dig(row, path)) for field, path in paths.items()}


def _dig(row: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        if row is None:
            return None
        row = row[step]
    return row


def _plain(value: Any) -> Any:
    """Times as APIs write them."""
    return iso(value) if isinstance(value, dt.datetime) and value.tzinfo else value


def _fill_request(child: Resource, start: PageRequest, record: Mapping[str, Any]) -> PageRequest:
    params = {name: fill_text(text, record, _as_text) for name, text in start.params.items()}
    return msgspec.structs.replace(
        start,
        path=fill_text(start.path or child.path, record, _as_path_part),
        params=params,
        json=fill_body(start.json, record),
    )


def _as_path_part(value: Any) -> str:
    return quote(_as_text(value), safe="")


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(child: Resource, parent: str, column: str, known: Sequence[str]) -> ConfigurationError:
    near = difflib.get_close_matches(column, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(known)}."
    return ConfigurationError(f"{child.name}: its parent {parent!r} has no field {column!r}. {hint}")
