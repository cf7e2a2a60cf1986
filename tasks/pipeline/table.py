"""The tables that people rely on: what identifies a row, and how a load is applied."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.pipeline.declaring import Declaration, Identifier, Key

VALID_FROM = "valid_from"
VALID_TO = "valid_to"
"""Columns that `scd2` adds to a table: when a version begins, and when it ends (null: it is current)."""


class Table(Declaration):
    """A target table, how a load is applied to it, and the suite its rows must pass.

    Dispositions: `append` adds rows, and with a key only those whose key is new; `merge` inserts and updates
    by key; `replace` makes the table equal to the load, writing only what differs; `scd2` keeps every
    version of a row with its time of validity. See `docs/loading.md`.

    Attributes:
        primary_key: Columns that identify a row; never null after the gate. `append` and `replace` can do
            without, each row then counts as often as it is there.
        version_by: The column whose greatest value is a row's newest version. Without it two versions of
            one key in one load are a tie, and both go to quarantine. For `scd2` it says since when a version
            is valid; without it, a version is valid since the load that first saw it.
        tombstone: A column that marks a row as deleted, when it is true or, if it is not boolean, not null.
            The suite does not see such rows, and the target does not have the column.
        suite: Name of a file in `expectations/suites/`, by default the table's own.
        source: The resource whose cursor this table's clean rows move, by default the table's own name.
        max_quarantined: The gate blocks when more rows than this are diverted, whatever the budgets say.
        allow_shrink: Whether a load may leave less than half of the rows; otherwise it is blocked.
        columns: Whether new columns, wider types and absent columns are followed (`evolve`) or refused
            (`freeze`).
        widen_to: What a column may become besides a wider kind of its own: `float` lets whole numbers and
            decimals become floats, `text` lets anything become text.
        types: Columns of text that the table has as `uuid` or `jsonb`. A text that is neither fails the
            load: let the suite divert it.
    """

    name: Identifier
    primary_key: Key = ()
    disposition: Literal["append", "merge", "replace", "scd2"] = "merge"
    version_by: str | None = None
    tombstone: str | None = None
    suite: str | None = None
    source: str | None = None
    max_quarantined: int | None = Field(default=None, ge=0)
    allow_shrink: bool = False
    columns: Literal["evolve", "freeze"] = "evolve"
    widen_to: tuple[Literal["float", "text"], ...] = ()
    types: Mapping[str, Literal["uuid", "jsonb"]] = {}

    @model_validator(mode="after")
    def _fits_its_disposition(self) -> Self:
        how = f"table {self.name!r}: {self.disposition}"
        if not self.primary_key and self.disposition in {"merge", "scd2"}:
            raise ValueError(f"{how} needs a primary_key; append and replace can do without")
        if self.version_by and not self.primary_key:
            raise ValueError(f"{how} without a primary_key has no versions of a row: drop version_by")
        if self.tombstone and self.disposition not in {"merge", "scd2"}:
            raise ValueError(f"{how} deletes nothing by a tombstone; merge and scd2 do")
        if self.allow_shrink and self.disposition not in {"replace", "scd2"}:
            raise ValueError(f"{how} never deletes what is absent: drop allow_shrink")
        if self.tombstone and self.tombstone in {*self.primary_key, self.version_by}:
            raise ValueError(f"{how}: the tombstone {self.tombstone!r} cannot be the key or the version too")
        if keys := [name for name in self.primary_key if self.types.get(name) == "jsonb"]:
            raise ValueError(f"{how}: {keys[0]!r} is in the key and cannot be jsonb; keep it as text")
        return self

    @property
    def suite_name(self) -> str:
        """Name of the suite that this table's rows must pass."""
        return self.suite or self.name

    @property
    def resource(self) -> str:
        """Name of the resource that this table's rows come from."""
        return self.source or self.name

    @property
    def identity(self) -> tuple[str, ...]:
        """Columns that tell a batch's rows apart: the key, and for versioned `scd2` the version too."""
        has_versions = self.disposition == "scd2" and self.version_by
        return (*self.primary_key, self.version_by) if has_versions and self.version_by else self.primary_key

    @property
    def newest_by(self) -> str | None:
        """The column by which only a batch's newest row of each `identity` counts; none for versions."""
        return None if self.disposition == "scd2" else self.version_by
