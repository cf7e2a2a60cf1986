"""The shape of a target: what its declaration makes of the columns of a frame."""

from collections.abc import Mapping

from tasks.errors import ConfigurationError
from tasks.pipeline import Table
from tasks.pipeline.table import VALID_FROM, VALID_TO


def target_columns(table: Table, types: Mapping[str, str]) -> dict[str, str]:
    """Columns of the target and their types: no tombstone; for `scd2`, since when and until when.

    Raises:
        ConfigurationError: The frame has columns by the names that `scd2` gives, or a column that is declared
            to be a type of text is none.
    """
    if other := [name for name in table.types if types.get(name, "text") != "text"]:
        raise ConfigurationError(
            f"{table.name}: types declares {other[0]!r} as {table.types[other[0]]}, and the data has "
            f"{types[other[0]]}, not text. Cast it in the transform, or drop it from types."
        )
    kinds = {name: str(table.types.get(name, kind)) for name, kind in types.items()}
    columns = {name: kind for name, kind in kinds.items() if name != table.tombstone}
    if table.disposition != "scd2":
        return columns
    if taken := [name for name in (VALID_FROM, VALID_TO) if name in columns]:
        raise ConfigurationError(
            f"{table.name}: scd2 adds the columns {VALID_FROM} and {VALID_TO}, and the transform returns "
            f"{', '.join(taken)}. Rename there."
        )
    kind = kinds[table.version_by] if table.version_by else "timestamp with time zone"
    return columns | {VALID_FROM: kind, VALID_TO: kind}


def target_key(table: Table) -> tuple[str, ...]:
    """Columns of the target's primary key; none for a keyless table."""
    return (*table.primary_key, VALID_FROM) if table.disposition == "scd2" else table.primary_key
