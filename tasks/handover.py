"""What the steps hand each other: references and counts, never the data itself.

All are frozen msgspec structs, so that they travel as JSON to the helper process and into the ledger.
"""

import datetime as dt
from typing import Any, Literal

from msgspec import Struct

from tasks.schema import Kind, LearnedSchema
from tasks.timings import Span

Severity = Literal["critical", "warning", "info"]
Seen = Literal["remaining", "clean", "table"]
"""Rows an expectation saw: all but the superseded, those without the quarantined, or the merged table."""
State = Literal["passed", "quarantined", "failed", "error", "skipped"]
"""`quarantined`: rows were diverted within the budget. `error`: could not be evaluated."""
Verdict = Literal["passed", "warned", "blocked", "no new rows"]
"""`warned`: an expectation below `critical` failed, the table is loaded. `blocked`: nothing is."""
Status = Literal["running", "published", "no new rows", "blocked", "failed", "crashed"]
"""How an attempt ended."""


class Load(Struct, frozen=True, kw_only=True):
    """What is applied once, and the attempt that is at it.

    `cursors` holds, per incremental resource, the published cursor this load starts from (None: the
    beginning). `landing` is the folder or URL of raw responses, kept between attempts of an interrupted
    load; `work` the folder of this attempt's typed Parquet. A load with `replay_of` applies what that load
    landed once more, and asks the API for nothing. `schemas` holds what the ledger keeps of resources whose
    fields were learned.
    """

    load_id: str
    attempt_no: int
    pipeline: str
    cursors: dict[str, str | None]
    landing: str
    work: str
    started_at: dt.datetime
    replay_of: str | None = None
    schemas: dict[str, LearnedSchema] = {}


class Transformed(Struct, frozen=True, kw_only=True):
    """One table's rows as the pipeline's function made them: a Parquet file, or a folder of them.

    `is_staged` tells whether they are in staging already, as they are, whatever the gate will say.
    """

    table: str
    rows: str
    row_count: int
    is_staged: bool = False


class Extracted(Struct, frozen=True, kw_only=True):
    """One resource, extracted: received = decoded + rejected.

    `frames` is a folder of Parquet parts with the decoded records, one column a field. `rejected` is a
    Parquet file (page, index, path, message, record as JSON text) or None when all fitted. `greatest_cursor`
    is the greatest cursor value decoded, at most `cursor_cap`: the time of the first request plus the
    declared skew. Both are ISO 8601. `learned` is the resource's learned schema where this load has
    extended it. `transformed` holds the tables that were made of it on the way, where the pipeline is
    streamable; `frames` is there then only if the resource has children.
    """

    resource: str
    frames: str
    received: int
    decoded: int
    rejected_count: int = 0
    rejected: str | None = None
    greatest_cursor: str | None = None
    cursor_cap: str | None = None
    pages: int = 0
    bytes: int = 0
    resumed_pages: int = 0
    learned: Kind | None = None
    transformed: tuple[Transformed, ...] = ()


class ExpectationOutcome(Struct, frozen=True, kw_only=True):
    """One expectation on one table in one load, as the gate saw it.

    `identity` is the same in every load for the same expectation with the same arguments.
    `result` is GX's own result as JSON, from which pages are rendered. `examples` are up to 20 unexpected
    values, as text. `blocks` tells whether this outcome alone keeps the load from being published. `alert`
    is False when people were told already: it ended the same way when it was evaluated before.
    """

    table: str
    suite: str
    expectation: str
    identity: str
    column: str | None
    severity: Severity
    seen: Seen
    state: State
    blocks: bool
    rows_seen: int
    unexpected_count: int = 0
    examples: tuple[str, ...] = ()
    message: str | None = None
    result: dict[str, Any] = {}
    alert: bool = True


class TableCheck(Struct, frozen=True, kw_only=True):
    """A table-scoped expectation, for the publishing transaction: no row of `query` is expected.

    `query` is SQL over the merged tables; `config` the expectation as GX writes it.
    """

    table: str
    suite: str
    expectation: str
    identity: str
    severity: Severity
    query: str
    config: dict[str, Any]


class TableVerdict(Struct, frozen=True, kw_only=True):
    """The gate's verdict on one table: transformed = clean + quarantined + superseded.

    `clean` is a Parquet file; `quarantine` one with the columns `reasons` (list of text), `key`, `row`
    (JSON text) and `row_sha256`, or None. `carries_cursor` tells whether the table has its resource's
    cursor field; `cursor` is then its greatest value over the clean rows (ISO 8601), None without any.
    """

    table: str
    resource: str
    verdict: Verdict
    transformed: int
    superseded: int
    quarantined: int
    clean_count: int
    clean: str
    quarantine: str | None = None
    carries_cursor: bool = False
    cursor: str | None = None
    outcomes: tuple[ExpectationOutcome, ...] = ()
    checks: tuple[TableCheck, ...] = ()


class TableCounts(Struct, frozen=True, kw_only=True):
    """One table in one attempt, in rows: from what the API sent to what changed in Postgres."""

    table: str
    verdict: Verdict
    received: int
    rejected: int
    superseded: int
    quarantined: int
    newly_quarantined: int
    inserted: int
    updated: int
    unchanged: int
    expectations: int
    expectations_passed: int
    deleted: int = 0
    grown_bytes: int = 0


class SchemaChange(Struct, frozen=True, kw_only=True):
    """A change of a table's columns: types before and after, and the statement that makes it.

    An absent column stays in the table, null in new rows; its statement would drop it, and was not run. One
    that is present is in the data again, or was added by hand before.
    """

    table: str
    kind: Literal["table created", "column added", "column widened", "column absent", "column present"]
    column: str | None
    before: str | None
    after: str | None
    statement: str | None


class LoadReport(Struct, frozen=True, kw_only=True):
    """An attempt as people are told of it, read back from the ledger.

    `alert` is False when the previous attempt of the pipeline ended in the same way for the same reasons:
    people were told already. `recovered` is True for the first publication after a block or a failure.
    """

    pipeline: str
    load_id: str
    attempt_no: int
    status: Status
    started_at: dt.datetime
    ended_at: dt.datetime
    tables: tuple[TableCounts, ...] = ()
    reports: dict[str, int] = {}
    outcomes: tuple[ExpectationOutcome, ...] = ()
    schema_changes: tuple[SchemaChange, ...] = ()
    error: str | None = None
    run_url: str | None = None
    accepted_by: str | None = None
    accept_reason: str | None = None
    timings: tuple[Span, ...] = ()
    alert: bool = True
    recovered: bool = False


class LoadLine(Struct, frozen=True, kw_only=True):
    """One attempt as a line of the overview, newest first."""

    pipeline: str
    load_id: str
    attempt_no: int
    status: Status
    started_at: dt.datetime
    ended_at: dt.datetime | None
    received: int = 0
    inserted: int = 0
    updated: int = 0
    quarantined: int = 0
    expectations: int = 0
    expectations_passed: int = 0
    error: str | None = None


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened, for automations: they match `labels` only, `payload` holds the details."""

    name: str
    resource_id: str
    labels: dict[str, str]
    payload: dict[str, Any]
