"""Table-scoped expectations: SQL over the merged tables, inside the publishing transaction."""

from typing import Any

import psycopg
from psycopg import sql

from tasks.handover import ExpectationOutcome, State, TableCheck
from tasks.load.connection import Connection, fetch_int, first_line
from tasks.load.ddl import qualified

TIME_BOX_S = 60
EXAMPLES = 20

# The time box, unless statements are bound tighter already.
BOX_STATEMENTS = """
SELECT set_config(name, least(nullif(setting::int, 0), %s)::text, true)
FROM pg_settings
WHERE name = 'statement_timeout'
"""


def run_checks(conn: Connection, schema: str, checks: list[TableCheck]) -> list[ExpectationOutcome]:
    """Evaluate the checks on the tables as this transaction sees them.

    Each is time-boxed, in a savepoint that is rolled back: one that fails does not end the transaction, and
    none leaves anything behind.
    """
    rows_seen = {
        table: fetch_int(conn, sql.SQL("SELECT count(*) FROM {}").format(qualified(schema, table)))
        for table in {check.table for check in checks}
    }
    return [_run_check(conn, schema, check, rows_seen[check.table]) for check in checks]


def _run_check(conn: Connection, schema: str, check: TableCheck, rows_seen: int) -> ExpectationOutcome:
    try:
        with conn.transaction(force_rollback=True):
            conn.execute(BOX_STATEMENTS, (round(TIME_BOX_S * 1000),))
            count, examples = _count_unexpected(conn, schema, check)
    except psycopg.Error as exc:
        message = f"Could not be evaluated: {first_line(exc)}"
        return _outcome(check, "error", rows_seen, message=message)
    return _outcome(check, "failed" if count else "passed", rows_seen, count=count, examples=examples)


def _count_unexpected(conn: Connection, schema: str, check: TableCheck) -> tuple[int, list[str]]:
    batch = qualified(schema, check.table).as_string(conn)
    query = sql.SQL(check.query.replace("{batch}", batch).rstrip().rstrip(";"))
    # A line of its own ends a comment that the query ends with.
    count = fetch_int(conn, sql.SQL("SELECT count(*) FROM ({}\n) unexpected").format(query))
    if not count:
        return 0, []
    rows = conn.execute(
        sql.SQL("SELECT to_jsonb(unexpected)::text FROM ({}\n) unexpected LIMIT {}").format(query, EXAMPLES)
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
