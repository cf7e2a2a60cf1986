"""The landing zone: raw pages in Parquet segments, written atomically, read back after an interruption.

A segment `00000001-00000064.parquet` holds these pages of the extraction, one row a page. The listing is the
manifest; a page is landed when its segment is complete. `_request` says what was asked and when, `_complete`
that all of it is there.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import msgspec

from tasks.errors import FatalError, PipelineError
from tasks.extract.landing.addresses import join
from tasks.extract.landing.folders import Folder, open_folder
from tasks.extract.landing.landed import COMPLETE, REQUEST, Completion, FirstRequest, Landed
from tasks.extract.landing.replaying import Replay
from tasks.extract.landing.segments import Damaged, encode_segment, hash_of
from tasks.extract.pages import Page
from tasks.handover import Load

_log = logging.getLogger(__name__)

SEGMENT_BYTES = 32_000_000
SEGMENT_PAGES = 5_000
"""Of small pages, what is kept beside the body weighs more than the body."""
SEGMENT_AGE_S = 30.0


class Landing:
    """The landing folder of one resource in one load, used by one extraction at a time.

    A segment is written by a thread of its own, since that takes a fifth of the time of an extraction from
    a fast API; its failure is raised by the next call, and is the last of this landing. As a context it lands
    what is buffered when the extraction is interrupted by an exception, and ends when all is written.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._landed = Landed(folder)
        self._buffer: list[Page] = []
        self._buffered_bytes = 0
        self._buffered_since = 0.0
        self._last_page = 0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="land")
        self._writing: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, failure: BaseException | None, _traceback: object) -> None:
        with self._writer:
            try:
                self.flush()
                self.wait()
            except PipelineError as exc:
                if failure is None:
                    raise
                _log.warning("What came last is not landed: %s", exc)

    def begin(self, request: FirstRequest) -> FirstRequest:
        """The first request of this extraction: the one landed before, or else this one, now written.

        A part that was landed for another request or from another address is discarded.

        Raises:
            FatalError: All pages are landed, but for another request; they are not deleted.
        """
        landed = self._landed.request
        if landed is not None and _asks_the_same(landed, request, complete=self.is_complete):
            return landed
        if landed is not None and self.is_complete:
            raise FatalError(
                f"{self._folder.where} holds the complete answer to another request, {landed.params}."
            )
        if landed is not None:
            _log.warning("%s: what is landed answers another request; starting afresh.", self._folder.where)
        self.discard_partial()
        self._folder.write(REQUEST, msgspec.json.encode(request))
        return request

    @property
    def is_complete(self) -> bool:
        """Whether all pages are landed."""
        return self._landed.completion is not None

    def read_pages(self) -> Iterator[Page]:
        """The landed pages in order, up to the first gap or damage; segments from there on are deleted."""
        try:
            for page in self._landed.read_pages():
                self._last_page = page.number
                yield page
        except Damaged as exc:
            self._drop_rest(str(exc))

    def add(self, page: Page) -> None:
        """Take the next page; a no-op for one that was read back."""
        if page.number <= self._last_page:
            return
        if not self._buffer:
            self._buffered_since = time.monotonic()
        self._buffer.append(page)
        self._buffered_bytes += len(page.body)
        self._last_page = page.number
        if self._buffered_bytes >= SEGMENT_BYTES or len(self._buffer) >= SEGMENT_PAGES:
            self.flush()
        self.flush_if_old()

    def flush_if_old(self) -> None:
        """Land what has been waiting for too long."""
        if self._buffer and time.monotonic() - self._buffered_since > SEGMENT_AGE_S:
            self.flush()

    def flush(self) -> None:
        """Begin to land what is buffered, as one segment, once the one before is written."""
        self.wait()
        if self._buffer:
            self._writing = self._writer.submit(self._write_segment, self._buffer)
            self._buffer, self._buffered_bytes = [], 0

    def complete(self, *, records: int, size: int) -> None:
        """Begin to land the rest, and to say that this is all; what goes wrong is raised by `wait`."""
        self.flush()
        if not self.is_complete:
            rest = self._writing
            self._writing = self._writer.submit(self._write_completion, rest, records, size)

    def discard_partial(self) -> None:
        """Delete everything, unless it is complete: the next extraction starts afresh."""
        if self.is_complete:
            return
        self.wait()
        self._buffer, self._buffered_bytes, self._last_page = [], 0, 0
        # Without its request, what is left by an interruption in between counts for nothing.
        names = self._folder.list_names()
        self._folder.delete(sorted(names, key=lambda name: name != REQUEST))
        self._landed = Landed(self._folder)

    def wait(self) -> None:
        """Wait for what is being written.

        Raises:
            PipelineError: It could not be.
        """
        writing, self._writing = self._writing, None
        try:
            if writing:
                writing.result()
        except BaseException:
            # What follows a page that is not landed cannot be used; trying again would double the wait.
            self._buffer = []
            raise

    def _write_segment(self, pages: Sequence[Page]) -> None:
        name, data = encode_segment(pages)
        self._folder.write(name, data)
        self._landed.hashes[name] = hash_of(data)

    def _write_completion(self, rest: Future[None] | None, records: int, size: int) -> None:
        if rest:
            rest.result()
        completion = Completion(
            pages=self._last_page, records=records, bytes=size, segments=self._landed.hashes
        )
        self._folder.write(COMPLETE, msgspec.json.encode(completion))
        self._landed.completion = completion

    def _drop_rest(self, reason: str) -> None:
        _log.warning("%s: %s; fetching again from page %d.", self._folder.where, reason, self._last_page + 1)
        self._landed.completion = None
        self._folder.delete([COMPLETE, *self._landed.unread])


def open_landing(load: Load, resource: str) -> Landing | Replay:
    """The landing of a resource in a load; of a load that replays another, that one's, to be read only.

    Raises:
        PipelineError: The landing zone cannot be reached; or a replay's does not hold all pages.
    """
    folder = open_folder(join(load.landing, resource))
    return Landing(folder) if load.replay_of is None else Replay(folder, resource)


def _asks_the_same(landed: FirstRequest, request: FirstRequest, *, complete: bool) -> bool:
    """Whether the landed pages answer this request; all of them are one answer, wherever it came from."""
    if (landed.path, landed.params) != (request.path, request.params):
        return False
    return complete or landed.base_url == request.base_url
