"""The landing zone: raw pages in Parquet segments, written atomically, read back after an interruption.

A segment `00000001-00000064.parquet` holds these pages of the extraction, one row a page. The listing is the
manifest; a page is landed when its segment is complete. `_request` says what was asked and when, `_complete`
that all of it is there.
"""

import datetime as dt
import hashlib
import io
import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

import msgspec
import polars as pl
from msgspec import Struct

from tasks.errors import FatalError
from tasks.extract.pages import Page

_log = logging.getLogger(__name__)

SEGMENT_BYTES = 32_000_000
SEGMENT_AGE_S = 30.0
_SEGMENT = re.compile(r"(\d{8,})-(\d{8,})\.parquet")
_TEMPORARY = ".writing-"
T = TypeVar("T", bound=Struct)
_SCHEMA = pl.Schema(
    {
        "page": pl.Int64(),
        "url": pl.String(),
        "request_body": pl.Binary(),
        "status": pl.Int64(),
        "content_type": pl.String(),
        "headers": pl.String(),
        "next_state": pl.String(),
        "fetched_at": pl.Datetime("us", "UTC"),
        "sha256": pl.String(),
        "body": pl.Binary(),
    }
)
_FIELDS = {"page": "number"}
"""Columns whose name is not that of the field of `Page`."""


class FirstRequest(Struct, frozen=True, kw_only=True):
    """How an extraction began; it keeps its clock and its parameters however often it is resumed."""

    base_url: str
    path: str
    params: dict[str, str]
    requested_at: dt.datetime


class Completion(Struct, frozen=True, kw_only=True):
    """What a complete extraction consists of; `segments` maps file names to their sha256."""

    pages: int
    records: int
    bytes: int
    segments: dict[str, str]


class Damaged(Exception):  # noqa: N818 (never leaves this step)
    """A segment that cannot be used."""


class Landing:
    """The landing folder of one resource in one load, used by one extraction at a time.

    A segment is written by a thread of its own, since that takes a fifth of the time of an extraction from
    a fast API; its failure is raised by the next call. As a context it lands what is buffered when the
    extraction is interrupted by an exception.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buffer: list[Page] = []
        self._buffered_bytes = 0
        self._buffered_since = 0.0
        self._last_page = 0
        self._hashes: dict[str, str] = {}
        self._complete: Completion | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="land")
        self._writing: Future[None] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(f"{_TEMPORARY}*"):
            leftover.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._writer:
            self.flush()
            self._wait()

    def begin(self, request: FirstRequest) -> FirstRequest:
        """The first request of this extraction: the one landed before, or else this one, now written.

        A part that was landed for another request or from another address is discarded.

        Raises:
            FatalError: All pages are landed, but for another request; they are not deleted.
        """
        landed = self._read("_request", FirstRequest)
        self._complete = self._read("_complete", Completion)
        if landed is not None and _asks_the_same(landed, request, complete=self._complete is not None):
            return landed
        if landed is not None and self._complete is not None:
            raise FatalError(f"{self._folder} holds the complete answer to another request, {landed.params}.")
        if landed is not None:
            _log.warning("%s: what is landed answers another request; starting afresh.", self._folder)
        self.discard_partial()
        self._write("_request", msgspec.json.encode(request))
        return request

    @property
    def is_complete(self) -> bool:
        """Whether all pages are landed."""
        return self._complete is not None

    def read_pages(self) -> Iterator[Page]:
        """The landed pages in order, up to the first gap or damage; segments from there on are deleted."""
        segments = self._list_segments()
        for position, segment in enumerate(segments):
            try:
                frame = self._read_segment(segment)
            except Damaged as exc:
                self._drop(segments[position:], str(exc))
                return
            for row in frame.rename(_FIELDS).iter_rows(named=True, buffer_size=16):
                self._last_page = row["number"]
                yield Page(**row)
        if self._complete and (self._complete.pages != self._last_page):
            self._drop([], f"{self._last_page} of {self._complete.pages} pages are there")

    def add(self, page: Page) -> None:
        """Take the next page; a no-op for one that was read back."""
        if page.number <= self._last_page:
            return
        if not self._buffer:
            self._buffered_since = time.monotonic()
        self._buffer.append(page)
        self._buffered_bytes += len(page.body)
        self._last_page = page.number
        if self._buffered_bytes >= SEGMENT_BYTES:
            self.flush()
        self.flush_if_old()

    def flush_if_old(self) -> None:
        """Land what has been waiting for too long."""
        if self._buffer and time.monotonic() - self._buffered_since > SEGMENT_AGE_S:
            self.flush()

    def flush(self) -> None:
        """Begin to land what is buffered, as one segment, once the one before is written."""
        self._wait()
        if self._buffer:
            self._writing = self._writer.submit(self._write_segment, self._buffer)
            self._buffer, self._buffered_bytes = [], 0

    def complete(self, *, records: int, size: int) -> None:
        """Land the rest, and say that this is all."""
        self.flush()
        self._wait()
        if self._complete is None:
            self._complete = Completion(
                pages=self._last_page, records=records, bytes=size, segments=self._hashes
            )
            self._write("_complete", msgspec.json.encode(self._complete))

    def discard_partial(self) -> None:
        """Delete everything, unless it is complete: the next extraction starts afresh."""
        if self._complete is not None:
            return
        self._wait()
        self._buffer, self._buffered_bytes, self._last_page = [], 0, 0
        self._hashes = {}
        for file in (*map(os.path.basename, self._list_segments()), "_request"):
            (self._folder / file).unlink(missing_ok=True)

    def _wait(self) -> None:
        """Wait for the segment that is being written; raise what went wrong."""
        writing, self._writing = self._writing, None
        if writing:
            writing.result()

    def _write_segment(self, pages: Sequence[Page]) -> None:
        encoded = io.BytesIO()
        _frame_of(pages).write_parquet(encoded, compression="zstd", compression_level=1, statistics=False)
        name = f"{pages[0].number:08}-{pages[-1].number:08}.parquet"
        self._hashes[name] = self._write(name, encoded.getvalue())

    def _list_segments(self) -> list[Path]:
        return sorted(file for file in self._folder.iterdir() if _SEGMENT.fullmatch(file.name))

    def _read_segment(self, segment: Path) -> pl.DataFrame:
        data = segment.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        if self._complete and self._complete.segments.get(segment.name) != sha256:
            raise Damaged(f"{segment.name} is not the file that was completed")
        try:
            frame = pl.read_parquet(io.BytesIO(data))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as exc:
            raise Damaged(f"{segment.name} cannot be read: {type(exc).__name__}") from exc
        if frame.schema != _SCHEMA:
            raise Damaged(f"{segment.name} has other columns")
        first, last = map(int, _SEGMENT.fullmatch(segment.name).groups())  # type: ignore[union-attr]  # listed
        if first != self._last_page + 1 or frame["page"].to_list() != list(range(first, last + 1)):
            raise Damaged(f"{segment.name} does not continue page {self._last_page}")
        for number, body, expected in frame.select("page", "body", "sha256").iter_rows(buffer_size=16):
            if hashlib.sha256(body).hexdigest() != expected:
                raise Damaged(f"{segment.name} page {number} does not have its sha256")
        self._hashes[segment.name] = sha256
        return frame

    def _drop(self, segments: list[Path], reason: str) -> None:
        _log.warning("%s: %s; fetching again from page %d.", self._folder, reason, self._last_page + 1)
        (self._folder / "_complete").unlink(missing_ok=True)
        self._complete = None
        for segment in segments:
            segment.unlink(missing_ok=True)

    def _read(self, name: str, kind: type[T]) -> T | None:
        try:
            return msgspec.json.decode((self._folder / name).read_bytes(), type=kind)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _write(self, name: str, data: bytes) -> str:
        """Write a file whole or not at all; return its sha256."""
        temporary = self._folder / f"{_TEMPORARY}{os.getpid()}-{name}"
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / name)
        return hashlib.sha256(data).hexdigest()


def _frame_of(pages: Sequence[Page]) -> pl.DataFrame:
    columns = {name: [getattr(page, _FIELDS.get(name, name)) for page in pages] for name in _SCHEMA}
    return pl.DataFrame(columns, schema=_SCHEMA)


def _asks_the_same(landed: FirstRequest, request: FirstRequest, *, complete: bool) -> bool:
    """Whether the landed pages answer this request; all of them are one answer, wherever it came from."""
    if (landed.path, landed.params) != (request.path, request.params):
        return False
    return complete or landed.base_url == request.base_url
