"""The vocabulary in which a pipeline is declared.

Every model is frozen and forbids unknown fields, so that a mistyped word is an error at import and not a
silent default. A pipeline file in `flows/pipelines/` holds one `pipeline = Pipeline(...)`.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from tasks.declaring import Columns, Declaration, Identifier, RecordType, refuse_duplicates

Frames = Mapping[str, pl.LazyFrame]
Transform = Callable[[Frames], Frames]


class Bearer(Declaration):
    """`Authorization: Bearer …` with a token that is named here and written nowhere.

    The token is `ASSAY_SECRET_<NAME>` in the environment (upper case, `-` as `_`), else the Prefect Secret
    block of that name. It is sent to the origin of `RestApi.base_url` only.
    """

    secret: str


class RateLimit(Declaration):
    """At most so many requests in so many seconds, shared by all connections of the source."""

    requests: int = Field(gt=0)
    per_s: float = Field(default=1.0, gt=0)


class PageNumber(Declaration):
    """Pages counted by a number, ending where the body says how many there are.

    The paths (`total_pages`, `total_records`) are dotted names into the JSON body. With `total_records` an
    extraction that received another number of records than announced fails instead of loading a part.
    """

    param: str = "page"
    size_param: str | None = "per_page"
    page_size: int = Field(default=1000, gt=0)
    first: int = 1
    total_pages: str = "pages"
    total_records: str | None = None


class Incremental(Declaration):
    """Ask only for what changed since the greatest `field` that is published.

    `param` is the query parameter that receives it, less `lag` for records that arrive late. A value later
    than the request's start plus `max_skew` does not move the cursor: one record dated 9999 must not end
    all increments.
    """

    field: str
    param: str
    lag: dt.timedelta = Field(default=dt.timedelta(0), ge=dt.timedelta(0))
    max_skew: dt.timedelta = Field(default=dt.timedelta(minutes=5), ge=dt.timedelta(0))


class Resource(Declaration):
    """One kind of record of the API: where it is and what it looks like.

    `record` types every field strictly: a record that does not fit is rejected to quarantine with the
    path, the type found and the type wanted. `records` is the dotted path to the list in the body.
    """

    name: Identifier
    path: str
    record: RecordType
    records: str = "data"
    params: dict[str, str] = Field(default_factory=dict)
    paginator: PageNumber = PageNumber()
    incremental: Incremental | None = None


class RestApi(Declaration):
    """A source: the API's address, how to enter, how hard it may be pressed.

    Time-outs are in seconds; `attempts` counts tries of one page, with exponential back-off and jitter
    between them and `Retry-After` obeyed.
    """

    base_url: str
    auth: Bearer | None = None
    rate_limit: RateLimit | None = None
    connections: int = Field(default=4, gt=0)
    connect_timeout_s: float = Field(default=5.0, gt=0)
    timeout_s: float = Field(default=30.0, gt=0)
    attempts: int = Field(default=6, gt=0)


class Table(Declaration):
    """A target table, and the suite its rows must pass.

    Attributes:
        primary_key: Columns that identify a row; never null after the gate.
        version_by: The column whose greatest value is a row's newest version. Without it two versions of
            one key in one load are a tie, and both go to quarantine.
        suite: Name of a file in `expectations/suites/`, by default the table's own.
        source: The resource whose cursor this table's clean rows move, by default the table's own name.
        max_quarantined: The gate blocks when more rows than this are diverted, whatever the budgets say.
        columns: Whether new columns of the frame are added to the table (`evolve`) or refused (`freeze`).
    """

    name: Identifier
    primary_key: Columns
    disposition: Literal["merge"] = "merge"
    version_by: str | None = None
    suite: str | None = None
    source: str | None = None
    max_quarantined: int | None = Field(default=None, ge=0)
    columns: Literal["evolve", "freeze"] = "evolve"

    @property
    def suite_name(self) -> str:
        """Name of the suite that this table's rows must pass."""
        return self.suite or self.name

    @property
    def resource(self) -> str:
        """Name of the resource that this table's rows come from."""
        return self.source or self.name


class Report(Declaration):
    """A reporting table, kept equal to a query over a merged table, group by group.

    `sql` is a file with one SELECT that joins the relation `affected` (one row a group, the columns of
    `group_by`) to `table`; assay fills `affected` with the groups that a load touches. `group_by` names
    columns of `table`, never null there, and is the primary key of the reporting table.
    """

    name: Identifier
    table: Identifier
    sql: Path
    group_by: Columns

    @model_validator(mode="after")
    def _reads_affected(self) -> Self:
        try:
            query = self.sql.read_text(encoding="utf-8")
        except OSError as exc:
            raise ValueError(f"{self.sql}: the query cannot be read: {exc.strerror}") from exc
        if not re.search(r"\baffected\b", query):
            raise ValueError(
                f"{self.sql}: the query must join the relation 'affected', the groups to compute"
            )
        return self


class Pipeline(Declaration):
    """A source, its resources, the function that makes tables of them, and the tables."""

    name: Identifier
    description: str = ""
    source: RestApi
    resources: tuple[Resource, ...] = Field(min_length=1)
    transform: Annotated[Transform, Field(exclude=True)]
    tables: tuple[Table, ...] = Field(min_length=1)
    reports: tuple[Report, ...] = ()
    target_schema: Identifier = "public"

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        resources = {resource.name for resource in self.resources}
        tables = {table.name for table in self.tables}
        refuse_duplicates("resource", [resource.name for resource in self.resources])
        refuse_duplicates("table", [*(t.name for t in self.tables), *(r.name for r in self.reports)])
        for table in self.tables:
            if table.resource not in resources:
                raise ValueError(
                    f"table {table.name!r} reads resource {table.resource!r}, not one of {sorted(resources)}"
                )
        for report in self.reports:
            if report.table not in tables:
                raise ValueError(
                    f"report {report.name!r} reads table {report.table!r}, not one of {sorted(tables)}"
                )
        return self

    def table(self, name: str) -> Table:
        """The declared table of that name."""
        return next(table for table in self.tables if table.name == name)

    def resource(self, name: str) -> Resource:
        """The declared resource of that name."""
        return next(resource for resource in self.resources if resource.name == name)

    def fingerprint(self) -> str:
        """Hash of the declaration, equal as long as a landed extraction means the same (sha256, hex).

        How hard the source may be pressed is no part of it, nor are reports: they are computed afterwards.
        """
        declared: dict[str, Any] = self.model_dump(
            mode="json",
            include={
                "name": True,
                "source": {"base_url", "auth"},
                "resources": True,
                "tables": True,
                "target_schema": True,
            },
        )
        return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()
