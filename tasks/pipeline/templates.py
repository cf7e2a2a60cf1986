"""Placeholders in what a child is asked with: `{number}` for a field of its parent's record."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][^{}\s]*)\}")


def find_placeholders(template: Any) -> Iterator[str]:
    """The fields that stand in a text, or in the texts within an object or list."""
    if isinstance(template, str):
        yield from _PLACEHOLDER.findall(template)
    elif isinstance(template, Mapping):
        for part in template.values():
            yield from find_placeholders(part)
    elif isinstance(template, list | tuple):
        for part in template:
            yield from find_placeholders(part)


def fill(template: Any, values: Mapping[str, Any], show: Callable[[Any], str] = str) -> Any:
    """The template with each field's value; a text that is one placeholder becomes the value itself."""
    if isinstance(template, str):
        alone = _PLACEHOLDER.fullmatch(template)
        if alone and show is str:
            return values[alone[1]]
        return _PLACEHOLDER.sub(lambda found: show(values[found[1]]), template)
    if isinstance(template, Mapping):
        return {key: fill(part, values, show) for key, part in template.items()}
    if isinstance(template, list | tuple):
        return [fill(part, values, show) for part in template]
    return template
