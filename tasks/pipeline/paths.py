"""Paths into a JSON body: `data.items`, `[1]`, `result[0].rows`, `["@odata.nextLink"]`; empty: all of it."""

import re
from typing import Annotated

from pydantic import AfterValidator

Step = str | int

_STEP = re.compile(
    r"""\.?(?P<key>[^.\[\]"']+) | \[(?P<index>\d+)\] | \[(?P<quote>["'])(?P<quoted>.+?)(?P=quote)\]""",
    re.VERBOSE,
)


def parse_path(path: str) -> tuple[Step, ...]:
    """The keys and indexes of a path, from the outside in; a leading `$` may stand for the body.

    Raises:
        ValueError: It is no path.
    """
    rest = path.removeprefix("$")
    steps: list[Step] = []
    position = 0
    while position < len(rest):
        step = _STEP.match(rest, position)
        if step is None:
            raise ValueError(
                f"{path!r} is no path. Write keys with dots, elements as [0], keys that hold dots as "
                f'["a.b"]; an empty path is the whole body.'
            )
        steps.append(int(step["index"]) if step["index"] else step["quoted"] or step["key"])
        position = step.end()
    return tuple(steps)


def show_path(steps: tuple[Step, ...]) -> str:
    """The path as messages show it: `$.data[0]`."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def _as_path(path: str) -> str:
    parse_path(path)
    return path


JsonPath = Annotated[str, AfterValidator(_as_path)]
