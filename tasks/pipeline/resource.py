"""One kind of record of the API: where it is, what it looks like, what has changed since."""

from pydantic import Field

from tasks.pipeline.declaring import Declaration, Identifier, RecordType
from tasks.pipeline.incremental import Incremental
from tasks.pipeline.paging import PageNumber


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
