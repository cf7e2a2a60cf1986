"""What has changed since: the cursor of a resource, and how it is sent."""

import datetime as dt

from pydantic import Field

from tasks.pipeline.declaring import Declaration


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
