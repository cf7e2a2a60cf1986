"""Rows against rows: the conditions under which a row is the same, differs, and how it is written over."""

from collections.abc import Sequence

from psycopg import sql

from tasks.errors import RetriableError
from tasks.load.batch import Batch
from tasks.load.ddl import comma, identifiers


def same_values(columns: Sequence[str], left: str, right: str) -> sql.Composed:
    """`left.a = right.a AND …`, for columns that are never null."""
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, name), sql.Identifier(right, name)) for name in columns
    )


def differing_values(columns: Sequence[str], left: str, right: str) -> sql.Composable:
    """Whether any of these columns differs, where null is a value and NaN equals NaN."""
    if not columns:
        return sql.SQL("false")
    return sql.SQL("ROW({}) IS DISTINCT FROM ROW({})").format(
        identifiers(columns, left), identifiers(columns, right)
    )


def on_conflict(key: Sequence[str], values: Sequence[str]) -> sql.Composed:
    """The end of an INSERT that writes the values over those of the row with the same key."""
    updates = comma([sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in values])
    action = sql.SQL("UPDATE SET {}").format(updates) if values else sql.SQL("NOTHING")
    return sql.SQL("ON CONFLICT ({}) DO {}").format(identifiers(key), action)


def refuse_interference(batch: Batch, verb: str, written: int, found: int) -> None:
    """Make sure that what was found to differ is what was written.

    Raises:
        RetriableError: Another session wrote to the table in between, or a trigger suppressed rows.
    """
    if written != found:
        raise RetriableError(
            f"{batch.table.name}: {found} rows were to be {verb}, {written} were. Another session wrote to "
            "the table meanwhile, or a trigger of it drops rows. Nothing is published; run the pipeline "
            "again."
        )
