"""A mistyped path would end an extraction after one page in silence: look for what may have been meant."""

import difflib
from typing import Any

import msgspec

from tasks.errors import ConfigurationError
from tasks.extract.pages import Answer
from tasks.extract.reading import BodyReader, Fact
from tasks.pipeline.paths import parse_path, show_path

_ENDS: tuple[Any, ...] = (None, "", False, [], {})


def refuse_near_miss(resource: str, path: str, answer: Answer) -> None:
    """Raise when the body lacks the path's last key, but has one that is spelt nearly so and holds a value.

    Raises:
        ConfigurationError: As `next_cursor` is missing, and `nextCursor` is not.
    """
    *outer, last = parse_path(path)
    if isinstance(last, int):
        return
    within = BodyReader({"object": Fact(show_path(tuple(outer)), msgspec.Raw, required=False)})
    try:
        found = msgspec.json.decode(within.read(answer.page.body)["object"], type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        return
    if last in found:
        return
    spelt = {key.lower().replace("_", "").replace("-", ""): key for key in found}
    wanted = last.lower().replace("_", "").replace("-", "")
    # Nearly the same, since another key may hold a value with good reason: `@odata.context`.
    for near in map(spelt.__getitem__, difflib.get_close_matches(wanted, spelt, cutoff=0.85)):
        if msgspec.json.decode(found[near]) not in _ENDS:
            raise ConfigurationError(
                f"{resource}: page 1 at {answer.page.url} has no {path!r}, which names the next page. "
                f"Did you mean {show_path((*outer, near))[2:]!r}?"
            )
