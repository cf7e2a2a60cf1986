"""Reporting tables: what is computed from the tables that people rely on."""

import re
from pathlib import Path
from typing import Self

from pydantic import model_validator

from tasks.pipeline.declaring import Columns, Declaration, Identifier


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
