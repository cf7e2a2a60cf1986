"""A pipeline: a source, its resources, the function that makes tables of them, and the tables."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Self

import polars as pl
from pydantic import Field, model_validator

from tasks.pipeline.declaring import Declaration, Identifier, refuse_duplicates
from tasks.pipeline.report import Report
from tasks.pipeline.resource import Resource, refuse_orphan
from tasks.pipeline.source import RestApi
from tasks.pipeline.table import Table

Frames = Mapping[str, pl.LazyFrame]
Transform = Callable[[Frames], Frames]


class Pipeline(Declaration):
    """A source, its resources, the function that makes tables of them, and the tables."""

    name: Identifier
    description: str = ""
    source: RestApi
    resources: tuple[Resource, ...] = Field(min_length=1)
    transform: Annotated[Transform, Field(exclude=True)]
    streamable: bool = False
    """Whether the transform makes each row from one record, so that it may be given a part of one resource's
    records at a time. It then runs, and its rows are staged, while the API is still read."""
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

    @model_validator(mode="after")
    def _children_have_parents(self) -> Self:
        for child in self.resources:
            if child.parent:
                refuse_orphan(child, {resource.name: resource for resource in self.resources})
        return self

    @model_validator(mode="after")
    def _dispositions_fit_their_source(self) -> Self:
        for table in self.tables:
            if not self._brings_changes_only(self.resource(table.resource)):
                continue
            if table.disposition == "replace":
                raise ValueError(
                    f"table {table.name!r} is replaced by every load, and resource {table.resource!r} sends "
                    "only what has changed: all other rows would be deleted. Declare disposition 'merge', or "
                    "drop the resource's incremental"
                )
            if table.disposition == "append" and not table.primary_key:
                raise ValueError(
                    f"table {table.name!r} is appended to without a primary_key, and resource "
                    f"{table.resource!r} sends the records at its cursor again: they would be doubled. "
                    "Declare a primary_key; a hash of the row will do"
                )
        return self

    def table(self, name: str) -> Table:
        """The declared table of that name."""
        return next(table for table in self.tables if table.name == name)

    def _brings_changes_only(self, resource: Resource) -> bool:
        """Whether it, or an ancestor, is incremental: children of unchanged parents are not asked for."""
        line = [resource, *map(self.resource, self.ancestors(resource))]
        return any(each.incremental is not None for each in line)

    def in_order(self) -> list[Resource]:
        """The resources, each after its parent."""
        return sorted(self.resources, key=lambda resource: len(self.ancestors(resource)))

    def ancestors(self, resource: Resource) -> list[str]:
        """Names of the resource's parent, the parent's parent, and so on."""
        if resource.parent is None:
            return []
        return [resource.parent.resource, *self.ancestors(self.resource(resource.parent.resource))]

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
                "source": {"base_url", "auth", "headers", "error"},
                "resources": True,
                "tables": True,
                "target_schema": True,
            },
        )
        return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()
