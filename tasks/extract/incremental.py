"""The cursor: what is asked for, and how far the answer moves it."""

import datetime as dt
import difflib

import polars as pl

from tasks.errors import ConfigurationError
from tasks.extract.pages import iso
from tasks.pipeline import Incremental, Resource

_KINDS = (pl.Datetime("us", "UTC"), pl.Datetime("us"), pl.Date())


def cursor_params(incremental: Incremental | None, cursor: str | None) -> dict[str, str]:
    """The query parameter that asks for what changed since the published cursor less the lag.

    Empty on a first load. The cursor keeps the form the API sent: a date stays a date, microseconds stay.

    Raises:
        ConfigurationError: The published cursor is not ISO 8601.
    """
    if incremental is None or cursor is None:
        return {}
    try:
        if len(cursor) == len("2013-01-01"):
            return {incremental.param: (dt.date.fromisoformat(cursor) - incremental.lag).isoformat()}
        moment = dt.datetime.fromisoformat(cursor) - incremental.lag
    except ValueError as exc:
        raise ConfigurationError(
            f"The published cursor {cursor!r} of field {incremental.field!r} is not an ISO 8601 time."
        ) from exc
    return {incremental.param: iso(moment) if moment.tzinfo else moment.isoformat()}


class CursorWatch:
    """Watches decoded records go by for the greatest cursor value that is not in the future.

    A value later than the time of the first request plus the declared skew does not move the cursor.
    """

    def __init__(self, resource: Resource, schema: pl.Schema, requested_at: dt.datetime) -> None:
        """Check that the cursor's field can be one.

        Raises:
            ConfigurationError: The record has no such field, or it holds neither times nor dates.
        """
        self._field = resource.incremental.field if resource.incremental else None
        self.cap = requested_at + resource.incremental.max_skew if resource.incremental else None
        self._greatest: dt.date | None = None
        if self._field is None:
            return
        if self._field not in schema:
            near = difflib.get_close_matches(self._field, schema, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" It has {', '.join(schema)}."
            raise ConfigurationError(
                f"{resource.name}: the cursor's field {self._field!r} is not in the record.{hint}"
            )
        if schema[self._field] not in _KINDS:
            raise ConfigurationError(
                f"{resource.name}: the cursor's field {self._field!r} is {schema[self._field]}; "
                f"it must hold times or dates."
            )

    def watch(self, frame: pl.DataFrame) -> None:
        """See a batch of decoded records."""
        if self._field is None or self.cap is None:
            return
        column = frame[self._field]
        cap = pl.Series([self.cap.astimezone(dt.UTC)], dtype=pl.Datetime("us", "UTC"))
        if column.dtype != cap.dtype:
            cap = cap.dt.replace_time_zone(None).cast(column.dtype)
        seen = column.filter(column <= cap.item()).max()
        if isinstance(seen, dt.date) and (self._greatest is None or seen > self._greatest):
            self._greatest = seen

    @property
    def greatest(self) -> str | None:
        """The greatest value seen, ISO 8601, None when there was none."""
        if isinstance(self._greatest, dt.datetime) and self._greatest.tzinfo:
            return iso(self._greatest)
        return self._greatest.isoformat() if self._greatest else None
