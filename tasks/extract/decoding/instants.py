"""Many times at once as microseconds since 1970, exactly.

Polars takes 200 ns to read a Python time. msgspec writes one as a MessagePack timestamp in 12 ns, in one of
three forms, each of its own width; where all are of one form, as those of an API mostly are, `struct` reads
them back as integers.
"""

import datetime as dt
import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import polars as pl

from tasks.eras import has_common_years

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECONDS_BITS = 34
_FEW = 250
"""So few are not cut in halves any more, in search of those that have one form."""

_pack = msgspec.msgpack.Encoder().encode


class UnstorableTimeError(Exception):
    """One of many times is outside the years 1 to 9999 in UTC."""


class _Form(NamedTuple):
    """One form of the timestamp: what it begins with, its fields for `struct`, and what they say."""

    mark: bytes
    fields: str
    read: Callable[[tuple[int, ...]], pl.Series]

    @property
    def width(self) -> int:
        return struct.calcsize(">" + self.fields)

    def matches(self, packed: memoryview, count: int) -> bool:
        """Whether these are so many timestamps, all of this form."""
        if len(packed) != count * self.width:
            return False
        return all(bytes(packed[at :: self.width]) == self.mark[at : at + 1] * count for at in (0, 1))


def _read_whole_seconds(fields: tuple[int, ...]) -> pl.Series:
    return pl.Series(values=fields, dtype=pl.Int64) * 1_000_000


def _read_fractions(fields: tuple[int, ...]) -> pl.Series:
    """30 bits of nanoseconds, then 34 of seconds."""
    both = pl.Series(values=fields, dtype=pl.UInt64)
    return _join(both % 2**_SECONDS_BITS, both // 2**_SECONDS_BITS)


def _read_far(fields: tuple[int, ...]) -> pl.Series:
    """Before 1970, or after 2514."""
    return _join(*(pl.Series(values=fields[at::2], dtype=pl.Int64) for at in (1, 0)))


def _join(seconds: pl.Series, nanoseconds: pl.Series) -> pl.Series:
    joined: pl.Series = seconds.cast(pl.Int64) * 1_000_000 + nanoseconds.cast(pl.Int64) // 1_000
    return joined


_FORMS = (
    _Form(b"\xd6\xff", "2xI", _read_whole_seconds),
    _Form(b"\xd7\xff", "2xQ", _read_fractions),
    _Form(b"\xc7\x0c", "3xIq", _read_far),
)


def since_1970(times: Sequence[dt.datetime]) -> pl.Series:
    """Microseconds since 1970 of times with a zone.

    Raises:
        UnstorableTimeError: One of them is outside the years 1 to 9999; it is not said which.
    """
    try:
        packed = memoryview(_pack(times))[_head_bytes(len(times)) :]
    except OverflowError:
        raise UnstorableTimeError from None
    for form in _FORMS:
        if form.matches(packed, len(times)):
            return form.read(struct.unpack(">" + form.fields * len(times), packed))
    if len(times) > _FEW:
        middle = len(times) // 2
        return since_1970(times[:middle]).append(since_1970(times[middle:]))
    return since_1970_one_by_one(times)


def since_1970_one_by_one(times: Sequence[dt.datetime | None]) -> pl.Series:
    """The same of times of any class, and null where there is none.

    Through durations, since times with a zone take six times as long.
    """
    since = [None if time is None else time - _EPOCH for time in times]
    micros = pl.Series(values=since, dtype=pl.Duration("us")).to_physical()
    if not has_common_years(micros.cast(pl.Datetime("us"))):
        raise UnstorableTimeError
    return micros


def _head_bytes(count: int) -> int:
    """Length of what an array of so many items begins with."""
    return 1 if count < 2**4 else 3 if count < 2**16 else 5
