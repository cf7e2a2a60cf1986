"""Quarantined rows that a person releases: through today's gate, and in by a load of their own."""

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from flows.ports import Ports
from flows.run import enter_run
from flows.telling import record_and_tell_failure, tell
from tasks.errors import ConfigurationError, DataQualityError
from tasks.handover import Load, LoadReport, TableVerdict
from tasks.load import ledger
from tasks.load.connection import open_connection, resolve_dsn
from tasks.load.entries import Entry, read_entries, refuse_closed
from tasks.load.judged import BlockedInTransactionError, Release
from tasks.load.load import Target
from tasks.load.publication import publish_load
from tasks.load.releases import (
    judge_release,
    narrow_pipeline,
    open_release,
    refuse_superseded,
    type_texts,
    write_rows,
)
from tasks.load.staging import stage_rows
from tasks.pipeline import Pipeline
from tasks.ports import Helper
from tasks.validate.release import validate_released


@dataclass(frozen=True)
class Released:
    """What became of the entries: the load's report, None when all are still wrong, and why those are."""

    report: LoadReport | None
    still_wrong: dict[int, str]


def release(
    pipeline_of: Callable[[str], Pipeline], numbers: Sequence[int], reason: str, ports: Ports
) -> Released:
    """Load those of the entries' rows that pass today's gate, and close their entries, in one transaction.

    Reporting tables follow. A newer row of the table stays; the entry is closed then, too. Rows that are
    still wrong stay in quarantine.

    Raises:
        ConfigurationError: There is no such open entry, or it cannot be released; the way round is told.
        DataQualityError: A table-scoped expectation does not hold with the rows; nothing is released.
        PipelineError: Nothing could be published.
    """
    numbers = sorted(set(numbers))
    with open_connection(resolve_dsn(ports.settings)) as conn:
        ledger.migrate(conn)
        pipeline = type_texts(conn, narrow_pipeline_of(pipeline_of, read_entries(conn, numbers)))
    with ExitStack() as stack:
        target, helper = enter_run(stack, pipeline, ports)
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="assay-release-")))
        with open_connection(target.dsn) as conn:
            entries = read_entries(conn, numbers)
            refuse_closed(entries)
            _refuse_one_key(entries)
            refuse_superseded(conn, entries)
            rows = write_rows(conn, pipeline, entries, work)
        passed, still_wrong = _judge(pipeline, entries, rows, work, helper)
        if not passed:
            return Released(None, still_wrong)
        return Released(_publish(pipeline, passed, rows, reason, (target, ports, helper)), still_wrong)


def narrow_pipeline_of(pipeline_of: Callable[[str], Pipeline], entries: Sequence[Entry]) -> Pipeline:
    """The declared pipeline, with the entries' table alone."""
    return narrow_pipeline(pipeline_of(entries[0].pipeline), entries)


def _refuse_one_key(entries: Sequence[Entry]) -> None:
    keys = Counter(msgspec.json.encode(entry.key, order="sorted") for entry in entries if entry.key)
    if shared := [key for key, count in keys.items() if count > 1]:
        same = [e for e in entries if e.key and msgspec.json.encode(e.key, order="sorted") == shared[0]]
        raise ConfigurationError(
            f"Entries {', '.join(str(e.quarantine_id) for e in same)} are rows of one key, "
            f"{shared[0].decode()}: release the right one, the others are closed by it."
        )


def _judge(
    pipeline: Pipeline, entries: Sequence[Entry], rows: Path, work: Path, helper: Helper
) -> tuple[list[tuple[int, Entry]], dict[int, str]]:
    """The entries that pass with the place of their rows, and why the others do not; row by row."""
    [table] = pipeline.tables
    passed, still_wrong = [], {}
    for place, entry in enumerate(entries):
        one = work / "one.parquet"
        pl.read_parquet(rows).slice(place, 1).write_parquet(one)
        verdict = validate_released(table, one, work, helper)
        blocking = [f"{o.column or o.table}: {o.expectation}" for o in verdict.outcomes if o.blocks]
        if verdict.quarantine is not None:
            reasons = pl.read_parquet(verdict.quarantine).get_column("reasons").explode().to_list()
            still_wrong[entry.quarantine_id] = "; ".join(reasons)
        elif blocking or not verdict.clean_count:
            still_wrong[entry.quarantine_id] = "; ".join(blocking)
        else:
            passed.append((place, entry))
    return passed, still_wrong


def _publish(
    pipeline: Pipeline,
    passed: Sequence[tuple[int, Entry]],
    rows: Path,
    reason: str,
    means: tuple[Target, Ports, Helper],
) -> LoadReport:
    target, ports, helper = means
    clean = rows.with_name("clean.parquet")
    pl.read_parquet(rows)[[place for place, _ in passed]].write_parquet(clean)
    with open_connection(target.dsn) as conn:
        opened = open_release(conn, pipeline, passed[-1][1], run_url=ports.run_url)
    load = Load(
        load_id=opened.load_id,
        attempt_no=opened.attempt_no,
        pipeline=pipeline.name,
        cursors=opened.cursors,
        landing="",
        work=str(rows.parent),
        started_at=opened.started_at,
        replay_of=opened.replay_of,
    )
    decision = Release(tuple(entry.quarantine_id for _, entry in passed), reason)
    try:
        _load(target, pipeline, load, _verdict_of(pipeline, clean, len(passed), helper), decision)
    except BaseException as exc:
        record_and_tell_failure(target, load, ports, helper, exc)
        raise
    return tell(target, load.load_id, load.attempt_no, ports, helper)


def _verdict_of(pipeline: Pipeline, clean: Path, count: int, helper: Helper) -> TableVerdict:
    """The rows as the load step takes them, with the table-scoped expectations.

    Outcomes of single rows are no part of the history of quality.
    """
    verdict = validate_released(pipeline.tables[0], clean, clean.parent, helper)
    return msgspec.structs.replace(
        verdict, clean=str(clean), clean_count=count, quarantine=None, quarantined=0, outcomes=()
    )


def _load(target: Target, pipeline: Pipeline, load: Load, verdict: TableVerdict, release: Release) -> None:
    timeout_s = target.statement_timeout_s
    with open_connection(target.dsn) as conn:
        stage_rows(conn, load.load_id, pipeline.tables[0], verdict, statement_timeout_s=timeout_s)
    judged = judge_release(pipeline, verdict, release)
    try:
        publish_load(target.dsn, pipeline, load, judged, statement_timeout_s=timeout_s)
    except BlockedInTransactionError as exc:
        broken = "; ".join(f"{o.expectation} ({o.message or o.examples})" for o in exc.outcomes if o.blocks)
        raise DataQualityError(
            f"With these rows {pipeline.tables[0].name} would break what is expected of it: {broken}. "
            "Nothing is released."
        ) from exc
