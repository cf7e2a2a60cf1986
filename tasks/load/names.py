"""Names of columns: which ones Postgres can have, and which ones would be one to its readers."""

import unicodedata
from collections.abc import Iterable, Sequence

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
            "Rename in the transform."
        )
    if given_away := [name for name in names if name in SYSTEM_COLUMNS]:
        raise ConfigurationError(
            f"{_list_names(given_away)}: every table of Postgres has a column of its own by that name. "
            "Rename in the transform."
        )
    refuse_collisions(names)


def refuse_collisions(names: Iterable[str]) -> None:
    """Refuse names that are one when written without quotes, or in another normal form of Unicode.

    Postgres would have them as two columns, and one of them would be filled by mistake.

    Raises:
        ConfigurationError: The first such pair.
    """
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(normalise(name), name)
        if other != name:
            raise ConfigurationError(
                f"Columns {other!r} and {name!r} are one name to whoever writes it without quotes. "
                "Rename or merge them in the transform."
            )


def normalise(name: str) -> str:
    """What is left of a name when case and Unicode's ways of writing it do not count."""
    return unicodedata.normalize("NFKC", name).casefold()


def _list_names(names: Sequence[str]) -> str:
    noun = "Column" if len(names) == 1 else "Columns"
    return f"{noun} {', '.join(map(repr, names))}"
