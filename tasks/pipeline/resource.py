"""One kind of record of the API: where it is, what it looks like, what has changed since."""

from typing import Any, Literal

from pydantic import Field

from tasks.pipeline.declaring import Declaration, Identifier, RecordType
from tasks.pipeline.incremental import Incremental, SyncToken
from tasks.pipeline.paging import PageNumber, Paginator
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
        max_pages: The extraction fails beyond so many: an API may promise another page for ever.
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
    max_pages: int = Field(default=1_000_000, gt=0)
    columns: Literal["evolve", "freeze", "discard"] = "evolve"
    nul: Literal["reject", "remove"] = "reject"
