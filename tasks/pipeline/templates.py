"""Placeholders in what a child is asked with: `{number}` for a field of its parent's record."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][^{}\s]*)\}")


def find_in_text(text: str) -> list[str]:
    """The fields that stand in a path or a parameter."""
    return _PLACEHOLDER.findall(text)


def fill_text(text: str, values: Mapping[str, Any], show: Callable[[Any], str]) -> str:
    """The text with each field's value in it."""
    return _PLACEHOLDER.sub(lambda found: show(values[found[1]]), text)


def find_in_body(body: Any) -> Iterator[str]:
    """The fields that stand in a JSON body: texts that are nothing but a placeholder.

    Within longer texts braces mean other things, in a GraphQL query above all.
    """
    if isinstance(body, str) and (found := _PLACEHOLDER.fullmatch(body)):
        yield found[1]
    for part in _parts_of(body):
        yield from find_in_body(part)


def fill_body(body: Any, values: Mapping[str, Any]) -> Any:
    """The body with the values themselves, of whatever type, in place of their placeholders."""
    if isinstance(body, Mapping):
        return {key: fill_body(part, values) for key, part in body.items()}
    if isinstance(body, list | tuple):
        return [fill_body(part, values) for part in body]
    found = _PLACEHOLDER.fullmatch(body) if isinstance(body, str) else None
    return values[found[1]] if found else body


def _parts_of(body: Any) -> list[Any]:
    if isinstance(body, Mapping):
        return list(body.values())
    return list(body) if isinstance(body, list | tuple) else []
