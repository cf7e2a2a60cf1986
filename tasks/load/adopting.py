"""The first load of a table: its staging takes the table's place, and no row is written twice.

Filling a new table from staging writes every row a second time while the publishing transaction is open:
1.0 of its 1.3 s for 336,776 rows of 21 columns. So what is staged for a table that does not exist yet is
logged from the start, and becomes the table.
"""

from psycopg import sql

from tasks.load.batch import Batch
from tasks.load.connection import Connection, limit_transaction
from tasks.load.ddl import add_primary_key, identifiers, qualified, type_sql
from tasks.load.staging import SCHEMA, staging_name
from tasks.pipeline import Table

_GRANTS = (
    "SELECT privilege_type, "
    "CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, "
    "CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END "
    "FROM pg_class, aclexplode(relacl) WHERE oid = to_regclass(%s) AND grantee <> relowner"
)
_UNIQUE_INDEX = (
    "SELECT relname::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
    "WHERE indrelid = to_regclass(%s) AND indisunique AND indisvalid"
)
_LONGEST_NAME = 63


def index_early(conn: Connection, name: str, table: Table, *, statement_timeout_s: float) -> None:
    """Index the key of what is to become the table, and look for nulls in it, while the gate judges it.

    Raises:
        psycopg.IntegrityError: Rows share a key, or have none; the gate will take them out.
    """
    staging = qualified(SCHEMA, name)
    with conn.transaction():
        limit_transaction(conn, statement_timeout_s=statement_timeout_s)
        conn.execute(
            sql.SQL("CREATE UNIQUE INDEX ON {} ({})").format(staging, identifiers(table.primary_key))
        )
        # A primary key would read all rows for this, in the publishing transaction.
        conn.execute(
            sql.SQL("ALTER TABLE {} {}").format(
                staging,
                sql.SQL(", ").join(
                    sql.SQL("ALTER {} SET NOT NULL").format(sql.Identifier(column))
                    for column in table.primary_key
                ),
            )
        )


def can_adopt(conn: Connection, batch: Batch) -> bool:
    """Whether what is staged can become the table: it is logged, so a crash of the server keeps it."""
    row = conn.execute(
        "SELECT relpersistence::text FROM pg_class WHERE oid = to_regclass(%s)",
        (batch.staging.as_string(conn),),
    ).fetchone()
    return row == ("p",)


def adopt_staging(conn: Connection, batch: Batch) -> int:
    """Put what is staged in the place of the target, which was made in this transaction and is empty.

    The privileges are those of the target, which may have got some by default. Returns its rows.
    """
    granted = _read_grants(conn, batch.target)
    for _, grantee, _ in _read_grants(conn, batch.staging):
        conn.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(batch.staging, type_sql(grantee)))
    schema, name = sql.Identifier(batch.schema), staging_name(batch.load_id, batch.table.name)
    conn.execute(sql.SQL("DROP TABLE {}").format(batch.target))
    conn.execute(sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(qualified(SCHEMA, name), schema))
    conn.execute(
        sql.SQL("ALTER TABLE {} RENAME TO {}").format(
            qualified(batch.schema, name), sql.Identifier(batch.table.name)
        )
    )
    for privilege, grantee, option in granted:
        conn.execute(
            sql.SQL("GRANT {} ON {} TO {}{}").format(
                type_sql(privilege), batch.target, type_sql(grantee), type_sql(option)
            )
        )
    return batch.staged


def add_key(conn: Connection, batch: Batch) -> None:
    """Key a table that is filled, by the index that staging brought, if it did."""
    row = conn.execute(_UNIQUE_INDEX, (batch.target.as_string(conn),)).fetchone()
    index = sql.Identifier(str(row[0])) if row else None
    name = f"{batch.table.name}_pkey"
    if index and _is_free(conn, batch.schema, name):
        conn.execute(
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY USING INDEX {}").format(
                batch.target, sql.Identifier(name), index
            )
        )
        return
    if index:
        conn.execute(sql.SQL("DROP INDEX {}.{}").format(sql.Identifier(batch.schema), index))
    add_primary_key(conn, batch.schema, batch.table.name, batch.key)


def _is_free(conn: Connection, schema: str, name: str) -> bool:
    """Whether the name that Postgres itself would give can be given; else it finds another one."""
    taken = conn.execute("SELECT to_regclass(%s)", (qualified(schema, name).as_string(conn),)).fetchone()
    return taken == (None,) and len(name.encode()) <= _LONGEST_NAME


def _read_grants(conn: Connection, table: sql.Identifier) -> list[tuple[str, str, str]]:
    rows = conn.execute(_GRANTS, (table.as_string(conn),)).fetchall()
    return [(str(privilege), str(grantee), str(option)) for privilege, grantee, option in rows]
