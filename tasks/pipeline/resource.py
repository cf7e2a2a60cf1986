"""One kind of record of the API: where it is, what it looks like, what has changed since."""

import difflib
from collections.abc import Mapping
from typing import Any, Literal, Self

import msgspec
from pydantic import Field, model_validator

from tasks.pipeline.declaring import Declaration, Identifier, RecordType
from tasks.pipeline.incremental import Incremental, SyncToken
from tasks.pipeline.paging import PageNumber, Paginator
from tasks.pipeline.parent import Parent, find_needed
from tasks.pipeline.paths import parse_path
from tasks.pipeline.records import Records


class Resource(Declaration):
    """One kind of record of the API: where it is and what it looks like.

    `record` types every field strictly: a record that does not fit is rejected to quarantine with the
    path, the type found and the type wanted. Without it the schema is learned from all records of the first
    load, and kept. `records` is the path to the list in the body, or another form.

    Attributes:
        method: `POST` for APIs that are asked by a JSON body, `json_body`.
        params: Query parameters of every request.
        paginator: How the records are cut into pages. By default pages are counted by `page` until one is
            empty; an API that does not page repeats page 1 then, and fails: declare `SinglePage()`.
        parent: The resource for each of whose records this one is asked.
        max_pages: The extraction fails beyond so many: an API may promise another page for ever.
        max_empty_pages: The same, of pages without any record, one after another.
        columns: What becomes of fields that the schema does not have: `evolve` learns them and takes them
            in, `freeze` refuses the load with the difference, `discard` leaves them out and counts them.
        nul: What becomes of U+0000 in text, which Postgres cannot store: the record is rejected, or the
            character is removed from it.
    """

    name: Identifier
    path: str
    record: RecordType | None = None
    records: Records = "data"
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, str] = Field(default_factory=dict)
    json_body: dict[str, Any] | None = None
    paginator: Paginator = PageNumber()
    incremental: Incremental | SyncToken | None = None
    parent: Parent | None = None
    max_pages: int = Field(default=1_000_000, gt=0)
    max_empty_pages: int = Field(default=1_000, gt=0)
    columns: Literal["evolve", "freeze", "discard"] = "evolve"
    nul: Literal["reject", "remove"] = "reject"

    @model_validator(mode="after")
    def _loses_no_children(self) -> Self:
        if self.parent is None or self.incremental is None:
            return self
        named = f"resource {self.name!r} has a parent and"
        if isinstance(self.incremental, SyncToken):
            raise ValueError(  # noqa: TRY004  Pydantic reports no other
                f"{named} a SyncToken: each parent's children have a token of their own, and one is kept. "
                "Drop the incremental"
            )
        if not self.parent.has_no_older_children:
            parent = self.parent.resource
            raise ValueError(
                f"{named} an incremental, which is one cursor for the children of all {parent!r}: those of a "
                "parent that appears later and are older than it would be missed. Drop the incremental, so "
                "that all children of the parents asked for come; or, if no parent ever comes with older "
                f"children, declare Parent(resource={parent!r}, has_no_older_children=True)"
            )
        return self

    def fields_of_parent(self) -> tuple[str, ...]:
        """The parent's fields that this resource is asked with, or carries."""
        if self.parent is None:
            return ()
        return self.parent.fields_used(find_needed(self.path, self.params, self.json_body))


def refuse_orphan(child: Resource, resources: Mapping[str, Resource]) -> None:
    """Check that a child's ancestors exist, and that its parent has the fields it is asked with.

    Raises:
        ValueError: They do not, or they lead in a circle.
    """
    line = [child.name]
    each = child
    while each.parent is not None:
        name = each.parent.resource
        if name not in resources:
            raise ValueError(f"resource {each.name!r} is a child of {name!r}, not in {sorted(resources)}")
        if name in line:
            raise ValueError(f"resource {child.name!r} is its own ancestor: {' of '.join([*line, name])}")
        line.append(name)
        each = resources[name]
    assert child.parent is not None
    if not child.fields_of_parent():
        raise ValueError(
            f"resource {child.name!r} uses nothing of its parent {child.parent.resource!r}: put a field "
            "of it into the path or the parameters, in braces"
        )
    record = resources[child.parent.resource].record
    known = [field.name for field in msgspec.structs.fields(record)] if record else None
    for field in child.fields_of_parent():
        top = str(parse_path(field)[0])
        if known is not None and top not in known:
            near = difflib.get_close_matches(top, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(known)}"
            raise ValueError(f"resource {child.name!r}: parent {line[1]!r} has no field {top!r}. {hint}")
