"""Connections to the target database, and the lock that keeps two runs of a pipeline apart."""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import resources
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tasks.errors import ConfigurationError, FatalError, PipelineError, RetriableError
from tasks.load.embedded import start_postgres
from tasks.load.patience import GRACE_S, KEEPALIVES, PATIENCE_S, PatientConnection
from tasks.settings import Settings

Connection = psycopg.Connection[tuple[object, ...]]
Query = LiteralString | sql.SQL | sql.Composed
DEFAULTS = {
    "connect_timeout": "10",
    # Whoever waits for an answer asks after 30 s whether the server is still there, not after the system's
    # 2 hours. On Linux the last one decides when it is given up, also while sending; much less, and it would
    # end a COPY that a server does not read on with because its disk is slow.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "300000",
}
"""What a DSN may set otherwise, in libpq's words."""
IDLE_TIMEOUT_S = 300.0
END_S = 10.0
"""So long a run that is over waits for the end of its hold on the pipeline."""
REFUSALS = re.compile(
    r"authentication|password|does not exist|permission|not permitted|pg_hba|too long|SSL|certificate"
)
# `transaction_timeout` is there from version 17 on.
UNBOUND = (
    "SELECT set_config(name, '0', true) FROM pg_settings "
    "WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')"
)
URL = re.compile(r"postgres(ql)?://")


def resolve_dsn(settings: Settings) -> str:
    """The DSN of the target: `ASSAY_DATABASE_URL`, else that of the embedded Postgres, started if need be."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return start_postgres(settings.home)


def describe_dsn(dsn: str) -> str:
    """Host, port and database of a DSN, without user and password.

    Raises:
        ConfigurationError: It is not a DSN.
    """
    known = _parse(dsn)
    return f"{known.get('host', 'localhost')}:{known.get('port', 5432)}/{known.get('dbname', '')}"


def _parse(dsn: str) -> Mapping[str, str | int | None]:
    try:
        known = conninfo_to_dict(dsn)
    except psycopg.Error as exc:
        # What stands in quotes may be a part of the password.
        reason = re.sub(r'".*"', "…", str(exc).strip(), flags=re.DOTALL)
    else:
        # With a bare @ or / in a URL's password, libpq takes the rest of it for the host or the database.
        names = f"{known.get('host')}{known.get('port')}{known.get('dbname')}"
        if not (URL.match(dsn) and "@" in names):
            return known
        reason = "its host or database holds an @"
    raise ConfigurationError(
        f"ASSAY_DATABASE_URL is not a DSN: {reason}. It looks like "
        "postgresql://user:password@host:5432/database, with @ / : % in the password written as "
        "%40 %2F %3A %25."
    )


def connect(dsn: str) -> PatientConnection:
    """Open an autocommit connection; transactions are opened by name with `conn.transaction()`.

    Nothing is set for the session and nothing is prepared by name, so that a transaction pooler may stand
    in between. What else libpq knows, the DSN may set.

    Raises:
        ConfigurationError: The server refuses: wrong password, no such database, malformed DSN.
        RetriableError: The server is not reachable, or not ready.
    """
    where = describe_dsn(dsn)
    try:
        return PatientConnection.connect(
            make_conninfo("", **{**DEFAULTS, **_parse(dsn)}),
            autocommit=True,
            prepare_threshold=None,
            application_name="assay",
            # COPY sends UTF-8, whatever the environment says.
            client_encoding="utf8",
        )
    except psycopg.OperationalError as exc:
        reason = _without_password(exc, dsn)
        if REFUSALS.search(reason):
            raise ConfigurationError(
                f"Postgres at {where} refuses the connection: {reason}. Check ASSAY_DATABASE_URL."
            ) from None
        raise RetriableError(
            f"Postgres at {where} is not reachable: {reason}. Is it up? Check ASSAY_DATABASE_URL."
        ) from None


def first_line(exc: psycopg.Error) -> str:
    """What Postgres says in one line, without a full stop."""
    return next(iter(str(exc).strip().splitlines()), type(exc).__name__).rstrip(".")


def _without_password(exc: psycopg.Error, dsn: str) -> str:
    password = str(_parse(dsn).get("password") or "")
    return first_line(exc).replace(password, "…") if password else first_line(exc)


@contextmanager
def open_connection(dsn: str) -> Iterator[PatientConnection]:
    """A connection that is closed at the end, whatever happens; its errors are sorted by what helps.

    Raises:
        RetriableError: The connection was lost, or a statement waited too long for its turn.
        ConfigurationError: The role may not do what the statement does, or the server is read-only.
        FatalError: Any other error of the server.
    """
    conn = connect(dsn)
    try:
        yield conn
    except psycopg.Error as exc:
        raise _sort_error(exc, dsn) from exc
    finally:
        conn.close()


def _sort_error(exc: psycopg.Error, dsn: str) -> PipelineError:
    message = f"Postgres at {describe_dsn(dsn)}: {_without_password(exc, dsn)}"
    if isinstance(exc, psycopg.errors.InsufficientPrivilege):
        return ConfigurationError(
            f"{message}. The role of ASSAY_DATABASE_URL must be able to write the ledger, and to create, own "
            "and write tables: `assay roles` prints the grants."
        )
    if isinstance(exc, psycopg.errors.ReadOnlySqlTransaction):
        return ConfigurationError(f"{message}. ASSAY_DATABASE_URL must name a server that can be written to.")
    if isinstance(exc, psycopg.errors.QueryCanceled):
        return RetriableError(
            f"{message}. Nothing is published by half; run the pipeline again, with a longer "
            "ASSAY_STATEMENT_TIMEOUT_S if the statement needs it."
        )
    if isinstance(exc, psycopg.OperationalError):
        return RetriableError(f"{message}. Nothing is published by half; run the pipeline again.")
    return FatalError(message)


def lock_key(*names: str) -> int:
    """A key for an advisory lock, the same in every process (signed 64 bits)."""
    digest = hashlib.sha256("\x00".join(("assay", *names)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


class PipelineBusyError(FatalError):
    """Another run of the pipeline is under way."""


@contextmanager
def hold_pipeline(dsn: str, pipeline: str) -> Iterator[None]:
    """Keep other runs of this pipeline out until the end, or until this process is gone.

    The lock is held by an otherwise empty transaction on a connection of its own: it ends with the client,
    works behind a transaction pooler, and takes no snapshot that vacuum would have to wait for.

    Raises:
        PipelineBusyError: Another run holds it.
    """
    # As text, not as a parameter: the extended protocol keeps a portal, and so its snapshot, until the next
    # statement.
    take = sql.SQL("SELECT pg_try_advisory_xact_lock({})").format(lock_key("pipeline", pipeline))
    with open_connection(dsn) as conn:
        conn.execute("BEGIN")
        conn.execute(UNBOUND)
        conn.execute(KEEPALIVES)
        if not fetch_one(conn, take)[0]:
            raise PipelineBusyError(
                f"{pipeline}: another run of this pipeline is under way on this database"
                f"{_name_open_load(conn, pipeline)}. Wait for its end; `assay status` shows it."
            )
        try:
            yield
        finally:
            # Closing alone would end it, too, but behind a pooler some time later.
            conn.patience_s = END_S
            with suppress(psycopg.Error):
                conn.execute("ROLLBACK")


def _name_open_load(conn: Connection, pipeline: str) -> str:
    """The load that is open, unless the other run has not come so far."""
    try:
        row = conn.execute(named_query("find_running"), (pipeline,)).fetchone()
    except psycopg.errors.UndefinedTable:
        return ""
    return f": load {row[0]}, attempt {row[1]}, since {row[2]} UTC" if row else ""


def limit_transaction(conn: Connection, *, statement_timeout_s: float, lock_timeout_s: float = 60.0) -> None:
    """Bound every statement of the open transaction, how long it waits for a lock, and for its client.

    0 is no bound, as for Postgres.
    """
    limits = {
        "statement_timeout": statement_timeout_s,
        "lock_timeout": lock_timeout_s,
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT_S,
    }
    settings = [
        sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name), sql.Literal(f"{seconds * 1000:.0f}ms"))
        for name, seconds in limits.items()
    ]
    conn.execute(sql.SQL("; ").join([*settings, sql.SQL(KEEPALIVES)]))
    if isinstance(conn, PatientConnection):
        is_bound = statement_timeout_s > 0
        conn.patience_s = max(PATIENCE_S, statement_timeout_s + GRACE_S) if is_bound else math.inf


def named_query(name: str) -> sql.SQL:
    """A query of this package, from `queries/<name>.sql`."""
    return sql.SQL(resources.files("tasks.load").joinpath("queries", f"{name}.sql").read_text("utf-8"))


def fetch_one(conn: Connection, query: Query, *parameters: object) -> tuple[object, ...]:
    """The one row of a query that always has one."""
    row = conn.execute(query, parameters or None).fetchone()
    assert row is not None
    return row


def fetch_int(conn: Connection, query: Query, *parameters: object) -> int:
    """The one whole number of a query that always has one."""
    value = fetch_one(conn, query, *parameters)[0]
    assert isinstance(value, int)
    return value
