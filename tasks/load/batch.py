"""A table's part of a load: where its staged rows lie, where they go, and what became of them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from tasks.load.ddl import identifiers, qualified
from tasks.load.staging import SCHEMA as STAGING
from tasks.load.staging import staging_name
from tasks.pipeline import Table


@dataclass(frozen=True)
class Batch:
    """Staged rows on their way into a table of `schema`.

    Attributes:
        types: Columns of the staged rows, and their Postgres types.
        staged: How many rows are staged.
        loaded_at: When the load's attempt began, by the database's clock.
        is_whole: Whether the load brings all there is, so that what is absent is gone.
        keeps_absent: Whether absent rows are kept nevertheless: rows were quarantined whose keys nobody
            knows, and an absent row may be the good version of one of them.
    """

    schema: str
    table: Table
    load_id: str
    types: Mapping[str, str]
    staged: int
    loaded_at: dt.datetime
    is_whole: bool
    keeps_absent: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """Columns of the declared key."""
        return self.table.primary_key

    @property
    def columns(self) -> list[str]:
        """Columns that the staged rows bring to the target: all but the tombstone."""
        return [name for name in self.types if name != self.table.tombstone]

    @property
    def values(self) -> list[str]:
        """Columns that are not in the key."""
        return [name for name in self.columns if name not in self.key]

    @property
    def target(self) -> sql.Identifier:
        """The target table."""
        return qualified(self.schema, self.table.name)

    @property
    def staging(self) -> sql.Identifier:
        """The staging table."""
        return qualified(STAGING, staging_name(self.load_id, self.table.name))

    @property
    def changed(self) -> sql.Identifier:
        """The transaction's temporary table of what is to be written."""
        return sql.Identifier(f"changed_{self.table.name}")

    @property
    def kept(self) -> sql.Identifier:
        """The transaction's temporary table of keys whose new rows were quarantined."""
        return sql.Identifier(f"kept_{self.table.name}")

    @property
    def is_dead(self) -> sql.Composable:
        """Whether a staged row, called `new`, marks its key as deleted."""
        if self.table.tombstone is None:
            return sql.SQL("false")
        mark = sql.Identifier("new", self.table.tombstone)
        is_flag = self.types[self.table.tombstone] == "boolean"
        return sql.SQL("coalesce({}, false)" if is_flag else "({} IS NOT NULL)").format(mark)

    def fill(self, query: str, **more: sql.Composable) -> sql.Composed:
        """A query with this batch's relations and columns put in, and `more`."""
        return sql.SQL(query).format(
            **{
                "target": self.target,
                "staging": self.staging,
                "changed": self.changed,
                "kept": self.kept,
                "key": identifiers(self.key),
                "columns": identifiers(self.columns),
                "new_columns": identifiers(self.columns, "new"),
                "is_dead": self.is_dead,
                **more,
            }
        )


@dataclass(frozen=True)
class Changes:
    """What a batch does to its table, in rows.

    `unchanged` counts the staged rows that change nothing: staged = inserted + updated + unchanged, plus
    those staged rows that delete. `absent` are those of the deletions that no staged row asks for; `withheld`
    are absent rows that stay.
    """

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    absent: int = 0
    withheld: int = 0
    unchanged: int = 0
    is_first: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether no row is written or deleted."""
        return not (self.inserted or self.updated or self.deleted)
