"""What has changed since: the cursor of a resource, how it is sent, when everything is asked for again."""

import datetime as dt
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tasks.pipeline.declaring import Declaration
from tasks.pipeline.paths import JsonPath

_FORMATS = ("iso", "date", "epoch_s", "epoch_ms", "integer")
_ZERO = dt.timedelta(0)


def _as_format(text: str) -> str:
    if text not in _FORMATS and not re.search(r"%[a-zA-Z]", text):
        raise ValueError(
            f"{text!r} is none of {', '.join(_FORMATS)}, nor a pattern such as %Y-%m-%dT%H:%M:%SZ"
        )
    return text


CursorFormat = Annotated[str, AfterValidator(_as_format)]
"""`iso` (microseconds, `Z`), `date`, `epoch_s`, `epoch_ms`, `integer`, or a pattern of `strftime`, in UTC."""


class Incremental(Declaration):
    """Ask only for what changed since the greatest `field` that is published.

    The field holds times, dates or whole numbers. A time later than the request's start plus `max_skew` does
    not move the cursor: one record dated 9999 must not end all increments.

    Attributes:
        param: The query parameter that receives the cursor less `lag`; on a first load `first`, or nothing.
        until_param: The one that receives the request's start, for APIs that want both ends.
        window: With `until_param`, everything is asked for in pieces of this width.
        lag: How far before the cursor to ask again, for records that arrive late; a number for numbers.
        bound: What the API gives for a cursor: records from it on, or after it. After it, we ask from one
            unit of `format` before, so that a record which shares its moment is not missed.
        format: How the API wants the cursor; by default as an ISO 8601 time or date, or a number.
        full_refresh_every: Everything is asked for again when the last time was so long ago, and rows that
            the API no longer has are deleted; for APIs that delete without a trace.
    """

    field: str
    param: str | None = None
    until_param: str | None = None
    window: dt.timedelta | None = Field(default=None, gt=_ZERO)
    first: dt.datetime | dt.date | int | None = None
    lag: Annotated[int, Field(ge=0)] | dt.timedelta = _ZERO
    max_skew: dt.timedelta = Field(default=dt.timedelta(minutes=5), ge=_ZERO)
    bound: Literal["inclusive", "exclusive"] = "inclusive"
    format: CursorFormat | None = None
    full_refresh_every: dt.timedelta | None = Field(default=None, gt=_ZERO)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.param is None and self.until_param is None:
            raise ValueError("name the query parameter that receives the cursor: param=")
        if self.window is not None and (self.until_param is None or self.first is None):
            raise ValueError("a window needs both ends: until_param= for the end, first= for the beginning")
        if self.until_param is not None and isinstance(self.first, int):
            raise ValueError("until_param receives the time of the request, which is no end for numbers")
        if isinstance(self.lag, dt.timedelta) and self.lag < _ZERO:
            raise ValueError("lag is how far to go back; it is not negative")
        return self


class SyncToken(Declaration):
    """Ask for what changed by a token that the API gave at the end of the last extraction.

    The last page that has one at `path` counts. It is sent as `param`, or, without `param`, it is the URL to
    ask (Microsoft Graph's `["@odata.deltaLink"]`).
    """

    path: JsonPath
    param: str | None = None
    full_refresh_every: dt.timedelta | None = Field(default=None, gt=_ZERO)

    @property
    def field(self) -> None:
        """No field of the records moves this cursor."""
        return
