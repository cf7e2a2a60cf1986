"""A small pipeline whose steps before the load are played by hand."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import psycopg
from psycopg import sql

from tasks.handover import (
    ExpectationOutcome,
    Extracted,
    Load,
    LoadReport,
    Status,
    TableCheck,
    TableVerdict,
    Transformed,
)
from tasks.load import history, ledger
from tasks.load.connection import open_connection
from tasks.load.load import Target, load_tables, stage_table
from tasks.pipeline import Incremental, Pipeline, Report, Resource, RestApi, Table
from tasks.validate.quarantine import REASONS, write_quarantine

NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
Frames = pl.DataFrame | Mapping[str, pl.DataFrame]


class Item(msgspec.Struct):
    """What the resources are declared to send; the tests bring frames of their own."""

    id: int


def make_table(name: str = "items", *key: str, **options: Any) -> Table:
    return Table(**{"name": name, "primary_key": key or ("id",)} | options)


def make_report(
    folder: Path, query: str, *group_by: str, name: str = "totals", table: str = "items"
) -> Report:
    file = folder / f"{name}.sql"
    file.write_text(query, encoding="utf-8")
    return Report(name=name, table=table, sql=file, group_by=group_by)


def make_pipeline(*tables: Table, reports: Sequence[Report] = (), **options: Any) -> Pipeline:
    """Tables with a resource each; every resource is incremental, unless `incremental` is false."""
    tables = tables or (make_table(),)
    is_incremental = options.pop("incremental", True)
    changes = Incremental(field="updated_at", param="since") if is_incremental else None
    names = dict.fromkeys(table.resource for table in tables)
    return Pipeline(
        **{"name": "shop"} | options,
        source=RestApi(base_url="http://127.0.0.1:9"),
        resources=tuple(Resource(name=n, path="/", record=Item, incremental=changes) for n in names),
        transform=lambda frames: frames,
        tables=tables,
        reports=tuple(reports),
    )


def make_outcome(identity: str = "i1", state: Any = "failed", **changes: Any) -> ExpectationOutcome:
    severity = changes.setdefault("severity", "warning")
    outcome = ExpectationOutcome(
        table="items",
        suite="items",
        expectation="expect_it",
        identity=identity,
        column="value",
        severity="warning",
        seen="clean",
        state=state,
        blocks=severity == "critical" and state in {"failed", "error"},
        rows_seen=3,
        unexpected_count=1,
    )
    return msgspec.structs.replace(outcome, **changes)


def make_check(query: str, severity: Any = "critical", table: str = "items") -> TableCheck:
    return TableCheck(
        table=table,
        suite=table,
        expectation="unexpected_rows_expectation",
        identity="c1",
        severity=severity,
        query=query,
        config={"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}},
    )


def with_reason(rows: pl.DataFrame, reason: str = "value: expected better") -> pl.DataFrame:
    """Rows as the gate diverts them."""
    return rows.with_columns(pl.lit([reason], dtype=pl.List(pl.String)).alias(REASONS))


@dataclass(frozen=True)
class Staged:
    """A load as it stands before the publishing transaction."""

    load: Load
    verdicts: list[TableVerdict]
    extracted: list[Extracted]


@dataclass
class Shop:
    """A database, a folder and a pipeline that loads into it."""

    dsn: str
    folder: Path
    pipeline: Pipeline = field(default_factory=make_pipeline)
    statement_timeout_s: float = 30

    @property
    def target(self) -> Target:
        return Target(self.dsn, self.statement_timeout_s)

    def begin(self, **how: Any) -> Load:
        """Open a load, or take one up, as a run does."""
        how = {"fingerprint": "f", "resume_within_s": 3600, **how}
        with open_connection(self.dsn) as conn:
            opened = ledger.open_load(conn, self.pipeline.name, **how)
        work = self.folder / opened.load_id / f"work-{opened.attempt_no}"
        work.mkdir(parents=True)
        return Load(
            load_id=opened.load_id,
            attempt_no=opened.attempt_no,
            pipeline=self.pipeline.name,
            cursors=opened.cursors,
            landing=str(work.parent / "raw"),
            work=str(work),
            started_at=opened.started_at,
        )

    def judge(self, load: Load, frames: Frames, **details: Any) -> Staged:
        """What extract and gate would hand over; `details` go to every verdict, but for these.

        `quarantine` is a frame from `with_reason`, `rejected` a list of (path, message, record), `cursor`
        how far each resource was decoded.
        """
        quarantine, rejected = details.pop("quarantine", None), details.pop("rejected", [])
        cursor = details.pop("cursor", None)
        tables = frames if isinstance(frames, Mapping) else {self.pipeline.tables[0].name: frames}
        verdicts = [
            self._write_verdict(load, self.pipeline.table(name), frame, quarantine, details)
            for name, frame in tables.items()
        ]
        extracted = [
            Extracted(
                resource=resource.name,
                frames=load.work,
                received=100,
                decoded=100 - len(rejected),
                rejected_count=len(rejected),
                rejected=_write_rejected(Path(load.work, "rejected.parquet"), rejected),
                greatest_cursor=cursor,
            )
            for resource in self.pipeline.resources
        ]
        return Staged(load, verdicts, extracted)

    def _write_verdict(
        self,
        load: Load,
        table: Table,
        frame: pl.DataFrame,
        quarantine: pl.DataFrame | None,
        details: Mapping[str, Any],
    ) -> TableVerdict:
        clean = Path(load.work, f"{table.name}.parquet")
        frame.write_parquet(clean)
        diverted = 0 if quarantine is None else quarantine.height
        verdict = TableVerdict(
            table=table.name,
            resource=table.resource,
            verdict="passed" if frame.height or diverted else "no new rows",
            transformed=frame.height + diverted,
            superseded=0,
            quarantined=diverted,
            clean_count=frame.height,
            clean=str(clean),
            quarantine=quarantine
            if quarantine is None
            else write_quarantine(quarantine, table.primary_key, Path(load.work, f"{table.name}.q.parquet")),
        )
        return msgspec.structs.replace(verdict, **details)

    def stage(self, frames: Frames, *, load: Load | None = None, **details: Any) -> Staged:
        """Everything up to the publishing transaction."""
        staged = self.judge(load or self.begin(), frames, **details)
        for verdict in staged.verdicts:
            self.stage_table(staged.load, verdict)
        return staged

    def stage_table(self, load: Load, verdict: TableVerdict) -> int:
        """One table, as it leaves the gate."""
        rows = Transformed(table=verdict.table, rows=verdict.clean, row_count=verdict.transformed)
        table = self.pipeline.table(verdict.table)
        return stage_table(self.target, self.pipeline, table, load, {table.name: rows}, verdict)

    def publish(self, staged: Staged, dsn: str | None = None) -> Status:
        """The load step's last part, through another DSN if need be."""
        target = Target(dsn or self.dsn, self.statement_timeout_s)
        rows = [verdict.clean_count for verdict in staged.verdicts]
        return load_tables(target, self.pipeline, staged.load, staged.verdicts, staged.extracted, rows)

    def load(self, frames: Frames, **details: Any) -> LoadReport:
        """A whole load; returns what people are told of it."""
        staged = self.stage(frames, **details)
        self.publish(staged)
        return self.report(staged.load)

    def report(self, load: Load) -> LoadReport:
        with open_connection(self.dsn) as conn:
            return history.read_report(conn, load.load_id, load.attempt_no)

    def query(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            return conn.execute(query.encode(), parameters or None).fetchall()

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(statement.encode())

    def rows(self, table: str = "items") -> list[tuple[Any, ...]]:
        """All rows of a target table, sorted."""
        name = sql.Identifier(self.pipeline.target_schema, table)
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            return sorted(conn.execute(sql.SQL("SELECT * FROM {}").format(name)).fetchall(), key=repr)

    def snapshot(self) -> dict[str, list[str]]:
        """All that a publication may change, as text: the tables, and the ledger without its attempts."""
        tables = (
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN "
            "('pg_catalog', 'information_schema', 'assay_staging') AND (schemaname, tablename) NOT IN "
            "(('assay', 'attempts'), ('assay', 'loads'))"
        )
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            return {
                name: [row for (row,) in conn.execute(f"SELECT t::text FROM {name} t ORDER BY 1".encode())]
                for (name,) in conn.execute(tables).fetchall()
            }


def written(report: LoadReport) -> tuple[int, int, int]:
    """Rows inserted, updated and unchanged in a report's first table."""
    counts = report.tables[0]
    return counts.inserted, counts.updated, counts.unchanged


def _write_rejected(path: Path, rejected: Sequence[tuple[str, str, str]]) -> str | None:
    if not rejected:
        return None
    rows = [
        {"page": 1, "index": index, "path": place, "message": message, "record": record}
        for index, (place, message, record) in enumerate(rejected)
    ]
    pl.DataFrame(rows).write_parquet(path)
    return str(path)
