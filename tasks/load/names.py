"""Names of columns: which ones Postgres can have, and which ones would be one to its readers."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from tasks.errors import ConfigurationError

MAX_NAME_BYTES = 63
SYSTEM_COLUMNS = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}


def check_names(names: Sequence[str]) -> None:
    """Refuse names that Postgres would cut or has given away, and names that differ only in writing.

    Keywords and signs of any kind are no matter: names are always quoted.

    Raises:
        ConfigurationError: All such names, and what to do.
    """
    too_long = [name for name in names if not 0 < len(name.encode()) <= MAX_NAME_BYTES]
    if too_long:
        raise ConfigurationError(
            f"{_list_names(too_long)}: Postgres takes names of 1 to {MAX_NAME_BYTES} bytes. "
            f"{_advise({name: _shorten(name, number) for number, name in enumerate(too_long, 1)})}"
        )
    if given_away := [name for name in names if name in SYSTEM_COLUMNS]:
        raise ConfigurationError(
            f"{_list_names(given_away)}: every table of Postgres has a column of its own by that name. "
            f"{_advise({name: f'{name}_' for name in given_away})}"
        )
    if pairs := find_collisions(names):
        raise ConfigurationError(
            f"{describe_collisions(pairs)}. "
            f"{_advise({name: f'{name}_{number}' for number, (_, name) in enumerate(pairs, 2)})} "
            "Or merge them there."
        )


def describe_collisions(pairs: Iterable[tuple[str, str]]) -> str:
    """What is wrong with such pairs of columns."""
    same = "; ".join(f"{other!r} and {name!r}" for other, name in pairs)
    return f"Columns {same} are one name to whoever writes it without quotes"


def find_collisions(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of names that are one when written without quotes, or in another normal form of Unicode.

    Postgres would have them as two columns, and one of them would be filled by mistake.
    """
    seen: dict[str, str] = {}
    pairs = [(seen.setdefault(normalise(name), name), name) for name in names]
    return [(other, name) for other, name in pairs if other != name]


def normalise(name: str) -> str:
    """What is left of a name when case and Unicode's ways of writing it do not count."""
    return unicodedata.normalize("NFKC", name).casefold()


def _advise(renamed: Mapping[str, str]) -> str:
    return f"Rename in the transform: .rename({json.dumps(renamed, ensure_ascii=False)})."


def _shorten(name: str, number: int) -> str:
    """A name that fits, unlike those of other numbers."""
    ending = f"_{number}"
    return name.encode()[: MAX_NAME_BYTES - len(ending)].decode(errors="ignore") + ending


def _list_names(names: Sequence[str]) -> str:
    noun = "Column" if len(names) == 1 else "Columns"
    return f"{noun} {', '.join(map(repr, names))}"
