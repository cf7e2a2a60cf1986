"""One kind of record of the API: where it is, what it looks like, what has changed since."""

import datetime as dt

from pydantic import Field

from tasks.pipeline.declaring import Declaration, Identifier, RecordType
from tasks.pipeline.paging import PageNumber


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
