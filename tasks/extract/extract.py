"""Extract a resource: its pages into the landing zone, its records into typed Parquet."""

import logging
import re
import threading
from collections.abc import Callable
from contextlib import closing, nullcontext
from datetime import datetime
from pathlib import Path

import msgspec
import polars as pl

from tasks.errors import ConfigurationError, FatalError
from tasks.extract.ahead import ReadAhead
from tasks.extract.client import ApiClient
from tasks.extract.completeness import PageRepeatedError, PageWatch
from tasks.extract.decoding.records import Records
from tasks.extract.envelope import Envelope
from tasks.extract.failures import ExtractionStopped
from tasks.extract.incremental import CursorWatch, TokenWatch, cursor_params, cursor_url, first_requests
from tasks.extract.landing.landed import FirstRequest
from tasks.extract.landing.zone import open_landing
from tasks.extract.pages import Answer, Page, PageRequest, iso, utc_now
from tasks.extract.pagination.paginate import learn, paginate_all, paginate_children
from tasks.extract.pagination.protocol import PagesShiftedError
from tasks.extract.parents import carry_into, read_families
from tasks.extract.progress import Progress
from tasks.extract.reported import ReportedError
from tasks.handover import Extracted, Load
from tasks.pipeline import Cursor, LinkHeader, NextLink, PageInfo, Resource
from tasks.pipeline.paging import Positional
from tasks.ports import Stream
from tasks.timings import timed_step

_log = logging.getLogger(__name__)


@timed_step("extract", subject="resource")
def extract_resource(
    client: ApiClient,
    resource: Resource,
    load: Load,
    parent: Extracted | None = None,
    stream: Stream | None = None,
    *,
    now: Callable[[], datetime] = utc_now,
) -> Extracted:
    """Land all pages of a resource and write its records as typed Parquet.

    Pages that an interrupted attempt of this load has landed are read back and not asked for again. Records
    that do not fit are rejected, so received = decoded + rejected. A failure that trying again does not help
    ends the extractions of the source's other resources too, with the same error.

    Args:
        client: From `open_client`, shared by all resources of the source.
        resource: What to extract.
        load: Where from (cursor) and where to (folders).
        parent: The extraction of the resource's parent, if it has one.
        stream: Where its records go on to while more of them are coming, for a streamable pipeline.
        now: The clock.

    Raises:
        ConfigurationError: The declaration, the address or the secret is wrong.
        RetriableError: The API failed, or changed meanwhile; what is landed and whole is kept.
        FatalError: The API cannot be extracted this way.
    """
    try:
        with closing(stream) if stream else nullcontext():
            return _extract(_Run(client, resource, load, parent, stream, now()))
    except ExtractionStopped:
        raise client.failure or ExtractionStopped(f"{resource.name}: stopped.") from None
    except (ConfigurationError, FatalError) as exc:
        client.fail(exc)
        raise


def _extract(run: "_Run") -> Extracted:
    client = run.client
    with run.landing, closing(ReadAhead(run.fetch, client.source.connections, client.stop)) as ahead:
        try:
            run.read(ahead)
        except (PagesShiftedError, PageRepeatedError):
            run.landing.discard_partial()
            raise
        except (FatalError, ConfigurationError) as exc:
            run.check_stream()  # what went wrong with the records is not the next page's fault
            if hint := run.explain_missing(str(exc)):
                raise type(exc)(f"{exc}\n{hint}") from exc
            if not run.stands_where_it_was_resumed:
                raise
            run.landing.discard_partial()
            raise PagesShiftedError(f"{exc}\n{run.explain_stale()}") from exc
        # While the last pages are landed.
        return run.finish()


class _Run:
    """One extraction under way: its parts, made once, and where it stands."""

    def __init__(
        self,
        client: ApiClient,
        resource: Resource,
        load: Load,
        parent: Extracted | None,
        stream: Stream | None,
        now: datetime,
    ) -> None:
        cursor = load.cursors.get(resource.name)
        self.client = client
        self._resource = resource
        self._load = load
        self.landing = open_landing(load, resource.name)
        begun = self.landing.begin(
            FirstRequest(
                base_url=client.source.base_url,
                path=cursor_url(resource.incremental, cursor) or resource.path,
                params={**resource.params, **cursor_params(resource.incremental, cursor)},
                requested_at=now,
            )
        )
        self._requested_at = begun.requested_at
        self._token = TokenWatch(resource.incremental)
        starts = first_requests(resource, cursor, self._requested_at)
        self._paginator = (
            paginate_all(resource, starts)
            if parent is None
            else paginate_children(resource, read_families(resource, parent, starts))
        )
        reads = {**self._paginator.reads, **self._token.reads}
        self._envelope = Envelope(resource.records, reads, record=resource.record, error=client.source.error)
        learned = load.schemas.get(resource.name)
        self._records = Records(
            resource, Path(load.work), learned.kind if learned else None, self._watch_cursor, stream
        )
        self._stream = stream
        self._progress = Progress(resource.name)
        self._watch = PageWatch(resource)

    def explain_missing(self, error: str) -> str | None:
        """What to declare if there is no such page, and need not be."""
        parent = self._resource.parent
        if parent and parent.on_missing == "fail" and re.search(" answered 4(04|10) ", error):
            return f'If a record of {parent.resource} may have none, declare Parent(on_missing="skip").'
        is_positional = isinstance(self._resource.paginator, Positional)
        is_open = is_positional and self._progress.pages > 0 and self._paginator.total_pages is None
        if is_open and re.search(" answered 4(?!01|03)", error):
            return "If this is a page past the end, declare its status: past_end=…"
        return None

    @property
    def stands_where_it_was_resumed(self) -> bool:
        """Whether nothing came after what was landed earlier, by a cursor or link from then."""
        is_chained = isinstance(self._resource.paginator, Cursor | PageInfo | NextLink | LinkHeader)
        return is_chained and 0 < self._progress.resumed_pages == self._progress.pages

    def explain_stale(self) -> str:
        """Why what is landed is given up."""
        return (
            f"{self._resource.name}: the next page was named by page {self._progress.pages}, landed by an "
            f"earlier attempt; the API may have forgotten it. A new run starts afresh."
        )

    def fetch(self, request: PageRequest, stop: threading.Event) -> Answer:
        """One page from the API."""
        return self.client.fetch(self._resource, request, self._envelope, stop)

    def read(self, ahead: ReadAhead) -> None:
        """Read all pages: those landed, then the others from the API, which are landed on the way."""
        for page in self.landing.read_pages():
            self._expect(page)
            self._take(learn(self._paginator, self._reopen(page)))
        self._progress.resumed_pages = self._progress.pages
        if not self.landing.is_complete:
            self.client.sign_in()
            for answer in ahead.read(self._paginator, self._tick):
                self._take(answer)
                self.landing.add(answer.page)
        self._paginator.finish(self._records.received)
        self.landing.complete(records=self._records.received, size=self._progress.bytes)
        if self._records.needs_second_pass:
            self.landing.wait()
            self._decode_again()

    def finish(self) -> Extracted:
        """Write what is buffered, and say what there is."""
        decoded = self._records.finish()
        self._report(decoded.rejected_count)
        cap = self._cursor.cap
        return Extracted(
            resource=self._resource.name,
            frames=decoded.frames,
            received=self._records.received,
            decoded=decoded.decoded,
            rejected_count=decoded.rejected_count,
            rejected=decoded.rejected,
            greatest_cursor=self._token.token or self._cursor.greatest,
            cursor_cap=iso(cap) if cap else None,
            pages=self._progress.pages,
            bytes=self._progress.bytes,
            resumed_pages=self._progress.resumed_pages,
            learned=decoded.learned,
            transformed=self._stream.finish() if self._stream else (),
        )

    def _decode_again(self) -> None:
        """Decode what is landed by the schema that was learned from it."""
        self._records.begin_second_pass()
        landed = open_landing(
            msgspec.structs.replace(self._load, replay_of=self._load.load_id), self._resource.name
        )
        for page in landed.read_pages():
            answer = self._reopen(page)
            self._records.take(carry_into(answer) if self._resource.parent else answer)

    def _watch_cursor(self, schema: pl.Schema) -> CursorWatch:
        self._cursor = CursorWatch(self._resource, schema, self._requested_at)
        return self._cursor

    def _expect(self, page: Page) -> None:
        """Move the paginator on to a landed page; other parents would be asked for other pages."""
        request = self._paginator.next_request()
        is_other = request is None or (
            request.url is None and self.client.url_of(self._resource, request) != page.url
        )
        if self._resource.parent and is_other and not self.landing.is_complete:
            raise PagesShiftedError(
                f"{self._resource.name}: what is landed was asked for other parents: page {page.number} is "
                f"{page.url}. A new run starts afresh."
            )

    def _reopen(self, page: Page) -> Answer:
        try:
            return self._envelope.open_page(page)
        except (ReportedError, ValueError) as exc:
            raise FatalError(
                f"{self._resource.name}: the landed page {page.number} of {page.url} does not fit the "
                f"declaration any more: {exc}"
            ) from exc

    def _take(self, answer: Answer) -> None:
        # Windows may share what is at their common bound, and children of two parents may be alike.
        self._watch.watch(answer, getattr(self._paginator, "part", 0))
        self._token.take(answer)
        self._records.take(carry_into(answer) if self._resource.parent else answer)
        self._progress.count(answer)
        self._tick()

    def check_stream(self) -> None:
        """Raise what has gone wrong with records on their way to the tables."""
        if self._stream:
            self._stream.check()

    def _tick(self) -> None:
        self.check_stream()
        self.landing.flush_if_old()
        self._progress.log(self._paginator.total_pages, self._records.received)

    def _report(self, rejected: int) -> None:
        _log.info(
            "%s: %s records on %d pages (%d of them landed before), %d rejected",
            self._resource.name,
            f"{self._records.received:,}",
            self._progress.pages,
            self._progress.resumed_pages,
            rejected,
        )
