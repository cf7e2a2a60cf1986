"""The tables that people rely on, and what is computed from them."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.pipeline.declaring import Columns, Declaration, Identifier


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
