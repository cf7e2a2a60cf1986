"""Deleting rows, and who else would be affected: foreign keys of other tables."""

import psycopg
from psycopg import sql

from tasks.errors import ConfigurationError
from tasks.load.batch import Batch
from tasks.load.connection import Connection, fetch_int, first_line, named_query

ACTIONS = {"c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def delete_or_explain(conn: Connection, batch: Batch, doomed: sql.Composable) -> int:
    """Delete rows of a target, called `old`, that are joined to `doomed`; returns how many.

    Nothing cascades: a load deletes in the tables that it is declared for and in no other.

    Raises:
        ConfigurationError: Other tables point at a row that would go.
    """
    _refuse_cascade(conn, batch, doomed)
    try:
        return conn.execute(batch.fill("DELETE FROM {target} old USING {doomed}", doomed=doomed)).rowcount
    except psycopg.errors.ForeignKeyViolation as exc:
        raise ConfigurationError(
            f"{batch.table.name}: a row that is gone from the source cannot be deleted: {first_line(exc)} "
            f"({exc.diag.message_detail}) Delete what points at it, or load the other table in this "
            "pipeline, with the foreign key DEFERRABLE."
        ) from exc


def _refuse_cascade(conn: Connection, batch: Batch, doomed: sql.Composable) -> None:
    keys = conn.execute(named_query("find_cascades"), (batch.target.as_string(conn),)).fetchall()
    for name, other, action, columns, referenced in keys:
        pairs = zip(_names(columns), _names(referenced), strict=True)
        same = sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(sql.Identifier("other", own), sql.Identifier("old", theirs))
            for own, theirs in pairs
        )
        count = fetch_int(
            conn,
            batch.fill(
                "SELECT count(*) FROM {other} other WHERE EXISTS "
                "(SELECT FROM {target} old, {doomed} AND {same})",
                other=sql.SQL(str(other)),  # a regclass, quoted by Postgres
                doomed=doomed,
                same=same,
            ),
        )
        if count:
            raise ConfigurationError(
                f"{batch.table.name}: deleting what is gone from the source would reach {count} rows of "
                f"{other}, by its foreign key {name} (ON DELETE {ACTIONS[str(action)]}). Nothing is "
                f"published. Delete those rows yourself, or declare the key with NO ACTION."
            )


def _names(names: object) -> list[str]:
    assert isinstance(names, list)
    return [str(name) for name in names]
