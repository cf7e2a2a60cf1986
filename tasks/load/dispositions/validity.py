"""What both kinds of SCD2 share: the two columns of validity, and the keys of a table of versions."""

from psycopg import sql

from tasks.load.batch import Batch, Changes
from tasks.load.connection import Connection
from tasks.load.ddl import add_primary_key
from tasks.pipeline.table import VALID_FROM, VALID_TO


def validity() -> dict[str, sql.Composable]:
    """The names of the two columns, each by itself and both."""
    begin, end = sql.Identifier(VALID_FROM), sql.Identifier(VALID_TO)
    return {"begin": begin, "end": end, "validity": sql.SQL("{}, {}").format(begin, end)}


def key_versions(conn: Connection, batch: Batch) -> None:
    """One version of a key begins at a time, and one at most is current."""
    add_primary_key(conn, batch.schema, batch.table.name, (*batch.key, VALID_FROM))
    conn.execute(batch.fill("CREATE UNIQUE INDEX ON {target} ({key}) WHERE {end} IS NULL", **validity()))


def delete_rows(conn: Connection, batch: Batch, changes: Changes) -> None:
    """Nothing is ever deleted: what is gone has ended."""
