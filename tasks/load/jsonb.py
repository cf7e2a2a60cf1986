"""Text and JSON as Postgres can hold them: U+0000, which it cannot, becomes its escape as plain text."""

import re
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

_ESCAPE = re.compile(rb"\\(u0000|.)")


def storable_text(text: str) -> str:
    """Text without U+0000 and lone surrogates; both stay legible as escapes."""
    return text.replace("\x00", "\\u0000").encode("utf-8", "backslashreplace").decode()


def storable_json(value: Any) -> Jsonb:
    """A value as JSONB; NaN and infinities become null."""
    return Jsonb(value, dumps=lambda value: _without_nul(msgspec.json.encode(value)))


def storable_json_text(text: str) -> Jsonb:
    """JSON text as JSONB."""
    return Jsonb(text, dumps=lambda text: _without_nul(text.encode()))


def _without_nul(json: bytes) -> bytes:
    # Escapes are read one by one, so that an escaped backslash before "u0000" is not taken for NUL's.
    return _ESCAPE.sub(lambda found: rb"\\u0000" if found[1] == b"u0000" else found[0], json)
