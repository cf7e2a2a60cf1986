"""Polars types as text, so that a schema can stand in a configuration file."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import polars as pl

_TYPES: dict[str, Any] = {
    name: kind
    for name, kind in vars(pl.datatypes).items()
    if isinstance(kind, type) and issubclass(kind, pl.DataType)
}


def schema_to_text(schema: Mapping[str, Any]) -> dict[str, str]:
    """Write each type as Polars prints it: `Int64`, `Datetime(time_unit='us', time_zone='UTC')`.

    Raises:
        ValueError: something in it is no Polars type.
    """
    return {name: str(parse_type(dtype)) for name, dtype in schema.items()}


def schema_from_text(schema: Mapping[str, str]) -> dict[str, Any]:
    """Read what `schema_to_text` wrote."""
    return {name: parse_type(text) for name, text in schema.items()}


def parse_type(text: Any) -> Any:
    """Read a type from its text; a type is its own.

    Raises:
        ValueError: no Polars type reads so.
    """
    if isinstance(text, (pl.DataType, pl.datatypes.DataTypeClass)):
        return text
    try:
        found = _read(ast.parse(str(text).removeprefix("pl."), mode="eval").body)
    except (SyntaxError, TypeError, KeyError, ValueError) as exc:
        raise ValueError(f"{text!r} is no Polars type. Write one as Polars prints it: 'Int64'.") from exc
    if not isinstance(found, (pl.DataType, pl.datatypes.DataTypeClass)):
        raise ValueError(f"{text!r} is no Polars type. Write one as Polars prints it: 'Int64'.")  # noqa: TRY004  (a wrong text)
    return found


def _read(node: ast.expr) -> Any:
    """A type, or an argument of one: names are types, the rest are plain values."""
    if isinstance(node, ast.Name):
        return _TYPES[node.id]
    if isinstance(node, ast.Call):
        return _read(node.func)(
            *map(_read, node.args), **{key.arg: _read(key.value) for key in node.keywords if key.arg}
        )
    if isinstance(node, (ast.List, ast.Tuple)):
        values = [_read(entry) for entry in node.elts]
        return tuple(values) if isinstance(node, ast.Tuple) else values
    if isinstance(node, ast.Dict):
        return {_read(key): _read(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    return ast.literal_eval(node)
