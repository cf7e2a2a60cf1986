"""Table-scoped expectations: SQL over the merged tables, inside the publishing transaction."""

from typing import Any

import psycopg
from psycopg import sql

from tasks.handover import ExpectationOutcome, State, TableCheck
from tasks.load.connection import Connection, fetch_int
from tasks.load.ddl import qualified

TIME_BOX_S = 60
EXAMPLES = 20


def run_checks(conn: Connection, schema: str, checks: list[TableCheck]) -> list[ExpectationOutcome]:
    """Evaluate the checks on the tables as this transaction sees them, each in a savepoint and time-boxed."""
    return [_run_check(conn, schema, check) for check in checks]


def _run_check(conn: Connection, schema: str, check: TableCheck) -> ExpectationOutcome:
    rows_seen = fetch_int(conn, sql.SQL("SELECT count(*) FROM {}").format(qualified(schema, check.table)))
    try:
        with conn.transaction():
            conn.execute(f"SET LOCAL statement_timeout = '{TIME_BOX_S}s'")
            count, examples = _count_unexpected(conn, schema, check)
            conn.execute("SET LOCAL statement_timeout = 0")
    except psycopg.Error as exc:
        message = f"Could not be evaluated: {str(exc).splitlines()[0]}"
        return _outcome(check, "error", rows_seen, message=message)
    return _outcome(check, "failed" if count else "passed", rows_seen, count=count, examples=examples)


def _count_unexpected(conn: Connection, schema: str, check: TableCheck) -> tuple[int, list[str]]:
    batch = qualified(schema, check.table).as_string(conn)
    query = sql.SQL(check.query.replace("{batch}", batch).rstrip().rstrip(";"))
    count = fetch_int(conn, sql.SQL("SELECT count(*) FROM ({}) unexpected").format(query))
    if not count:
        return 0, []
    rows = conn.execute(
        sql.SQL("SELECT to_jsonb(unexpected)::text FROM ({}) unexpected LIMIT {}").format(query, EXAMPLES)
    )
    return count, [str(row) for (row,) in rows]


def _outcome(
    check: TableCheck,
    state: State,
    rows_seen: int,
    *,
    count: int = 0,
    examples: list[str] | None = None,
    message: str | None = None,
) -> ExpectationOutcome:
    result: dict[str, Any] = {
        "success": state == "passed",
        "expectation_config": check.config,
        "result": {"observed_value": count, "details": {"unexpected_rows": examples or []}},
        "exception_info": {"raised_exception": state == "error", "exception_message": message},
    }
    return ExpectationOutcome(
        table=check.table,
        suite=check.suite,
        expectation=check.expectation,
        identity=check.identity,
        column=None,
        severity=check.severity,
        seen="table",
        state=state,
        blocks=check.severity == "critical" and state != "passed",
        rows_seen=rows_seen,
        unexpected_count=count,
        examples=tuple(examples or ()),
        message=message,
        result=result,
    )
