"""What is landed already, as it is read back: the request, the pages in order, and whether they are all."""

import datetime as dt
from collections.abc import Iterator
from typing import TypeVar

import msgspec
from msgspec import Struct

from tasks.extract.landing.folders import Folder
from tasks.extract.landing.segments import Damaged, decode_segment, hash_of, select_segments
from tasks.extract.pages import Page

REQUEST = "_request"
COMPLETE = "_complete"
T = TypeVar("T", bound=Struct)


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


class Landed:
    """The landed part of an extraction; memory holds one segment of it."""

    def __init__(self, folder: Folder) -> None:
        names = folder.list_names()
        self._folder = folder
        self.request = self._read_json(REQUEST, FirstRequest) if REQUEST in names else None
        self.completion = (
            self._read_json(COMPLETE, Completion) if self.request and COMPLETE in names else None
        )
        self.last_page = 0
        self.hashes: dict[str, str] = {}
        self.unread = select_segments(names)
        """Segments that were not read yet, in order; the first is the damaged one after `Damaged`."""

    def read_pages(self) -> Iterator[Page]:
        """The pages in order.

        Raises:
            Damaged: At the first page that is missing or not as it was written.
        """
        while self.unread:
            name = self.unread[0]
            data = self._folder.read(name)
            if data is None:
                raise Damaged(f"{name} is gone")
            sha256 = hash_of(data)
            if self.completion and self.completion.segments.get(name) != sha256:
                raise Damaged(f"{name} is not the file that was completed")
            pages = decode_segment(
                name, data, after=self.last_page, is_vouched_for=self.completion is not None
            )
            del data
            self.unread.pop(0)
            self.hashes[name] = sha256
            for page in pages:
                self.last_page = page.number
                yield page
        if self.completion and self.completion.pages != self.last_page:
            raise Damaged(f"{self.last_page} of {self.completion.pages} pages are there")

    def _read_json(self, name: str, kind: type[T]) -> T | None:
        data = self._folder.read(name)
        try:
            return msgspec.json.decode(data, type=kind) if data is not None else None
        except msgspec.DecodeError:
            return None
