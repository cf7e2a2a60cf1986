"""A merge of 1 % changed rows, beside the statements that people write by hand.

Each trial is a new copy of one template: the same rows, indexes, and staged rows, all of it read once.
"""

from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tasks.load.batch import Batch
from tasks.load.connection import Connection, fetch_int, open_connection
from tasks.load.ddl import identifiers
from tasks.load.diff import differing_values, on_conflict, same_values
from tasks.load.staging import prepare_staging
from tests.benchmarks.load.measuring import measure
from tests.benchmarks.load.rows import MERGED, apply, fill, make_batch, make_rows, stage

WHOLE, INCREMENT = "whole", "increment"
"""What is staged: all rows, of which 1 % differ, or only these."""
INSERT = "INSERT INTO {target} ({columns}) SELECT {columns} FROM {staging}"


def bench_merge(server: str, folder: Path, rows: int, contestant: str, staged: str) -> None:
    """One contestant against 1 % changed rows, then, if it tells what is unchanged, against none."""
    template = f"bench_{rows}"
    act = CONTESTANTS[contestant]
    prepare(server, folder, rows, template)
    dsn = copy_database(server, template)
    batch = make_batch(MERGED, _file(folder, rows, staged), f"bench-{staged}")
    with open_connection(dsn) as conn:
        warm(conn, batch)
        newest = fetch_int(conn, "SELECT pg_current_xact_id()::text::bigint")
        measure(conn, f"{contestant}, {staged}, 1 % changed", lambda: act(conn, batch))
        check(conn, batch, newest)
        if contestant in {"ours", "upsert_where"}:
            # The first to read a changed page notes there whose changes are committed, and with checksums
            # on that is logged: not a cost of the merge that follows, whoever reads first pays it.
            conn.execute("VACUUM items")
            measure(conn, f"{contestant}, {staged}, unchanged", lambda: act(conn, batch))


def prepare(server: str, folder: Path, rows: int, template: str) -> None:
    """A database with the filled table and both kinds of staged rows, unless it is there."""
    with psycopg.connect(server, autocommit=True) as conn:
        known = "SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate"
        if conn.execute(known, (template,)).fetchone():
            return
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(template)))
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(template)))
        with open_connection(make_conninfo(server, dbname=template)) as own:
            prepare_staging(own)
            first = stage(own, MERGED, make_rows(folder, rows))
            measure(own, "first load: fill, then key", lambda: fill(own, first))
            own.execute(first.fill("DROP TABLE {staging}"))
            own.execute("VACUUM (FREEZE, ANALYZE) items")
            for staged in (WHOLE, INCREMENT):
                stage(own, MERGED, _file(folder, rows, staged), f"bench-{staged}")
            own.execute("CHECKPOINT")
        conn.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(sql.Identifier(template)))


def copy_database(server: str, template: str) -> str:
    """The DSN of a new copy, `bench`."""
    with psycopg.connect(server, autocommit=True) as conn:
        how = " STRATEGY file_copy" if conn.info.server_version >= 150000 else ""
        conn.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
        conn.execute(sql.SQL("CREATE DATABASE bench TEMPLATE {}" + how).format(sql.Identifier(template)))
    return make_conninfo(server, dbname="bench")


def warm(conn: Connection, batch: Batch) -> None:
    """Read all there is, the index too, so that nobody is the first."""
    for relation in (batch.target, batch.staging):
        conn.execute(sql.SQL("SELECT count(*), max(price) FROM {}").format(relation))
    conn.execute("SET enable_seqscan = off")
    conn.execute("SELECT count(id) FROM items")
    conn.execute("RESET enable_seqscan")


def check(conn: Connection, batch: Batch, newest: int) -> None:
    """Print how many row versions are new, and that the table has all that is staged."""
    written = fetch_int(conn, "SELECT count(*) FROM items WHERE xmin::text::bigint > %s", newest)
    total = fetch_int(conn, "SELECT count(*) FROM items")
    same = batch.fill(
        "SELECT count(*) FROM {staging} new JOIN {target} old ON {same}",
        same=same_values(batch.columns, "new", "old"),
    )
    missing = batch.staged - fetch_int(conn, same)
    print(f"  row versions written {written:,}; rows {total:,}; staged rows the table lacks {missing}")


def _file(folder: Path, rows: int, staged: str) -> Path:
    return make_rows(folder, rows, changed_every=100, only_changed=staged == INCREMENT)


def _upsert(conn: Connection, batch: Batch) -> str:
    """`ON CONFLICT DO UPDATE` of all staged rows."""
    query = batch.fill(f"{INSERT} {{action}}", action=on_conflict(batch.key, batch.values))
    with conn.transaction():
        return f"{conn.execute(query).rowcount:,} rows"


def _upsert_where(conn: Connection, batch: Batch) -> str:
    """`ON CONFLICT DO UPDATE … WHERE` the row differs."""
    query = batch.fill(
        "INSERT INTO {target} AS old ({columns}) SELECT {columns} FROM {staging} {action} WHERE {differs}",
        action=on_conflict(batch.key, batch.values),
        differs=differing_values(batch.values, "old", "excluded"),
    )
    with conn.transaction():
        return f"{conn.execute(query).rowcount:,} rows"


def _delete_and_insert(conn: Connection, batch: Batch) -> str:
    """What dlt and others do: delete the keys that are staged, insert all that is staged."""
    delete = "DELETE FROM {target} USING {staging} new WHERE ({old_key}) = ({new_key})"
    names = {"old_key": identifiers(batch.key, "items"), "new_key": identifiers(batch.key, "new")}
    with conn.transaction():
        conn.execute(batch.fill(delete, **names))
        return f"{conn.execute(batch.fill(INSERT)).rowcount:,} rows"


CONTESTANTS: dict[str, Callable[[Connection, Batch], object]] = {
    "ours": apply,
    "upsert": _upsert,
    "upsert_where": _upsert_where,
    "delete_insert": _delete_and_insert,
}
