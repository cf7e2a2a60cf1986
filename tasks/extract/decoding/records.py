"""From pages to typed Parquet: decode by the schema that is known, or learn it first and decode then."""

import logging
from collections.abc import Callable
from pathlib import Path

import polars as pl
from msgspec import Struct

from tasks.errors import ConfigurationError
from tasks.extract.decoding.decoder import DecodedPage, OutgrownError, RecordDecoder
from tasks.extract.decoding.learning import MAX_FIELDS, Evidence
from tasks.extract.decoding.parts import RecordParts, RejectedParts, Watch
from tasks.extract.decoding.strict import NoRecord, describe_known
from tasks.extract.pages import Answer
from tasks.pipeline import Resource
from tasks.ports import Stream
from tasks.schema import NO_FIELDS, UNKNOWN, Kind, extend, list_fields
from tasks.timings import part

_log = logging.getLogger(__name__)

_CHUNK_ROWS = 2_000
"""Rows made into columns at once: with more of them the processor's cache no longer holds the objects."""
_CHUNK_BYTES = 16_000_000
"""Fewer rows, where their pages are large: these are held until then."""


class Decoded(Struct, frozen=True, kw_only=True):
    """What was made of the records: received = decoded + rejected; `learned` only if it has grown."""

    frames: str
    decoded: int
    rejected_count: int
    rejected: str | None
    learned: Kind | None


class Records:
    """The records of one resource on their way into Parquet.

    Without a schema, or once records outgrow it, pages are only looked at, to learn from all of them. When
    all are taken and `needs_second_pass`, each page is to be taken once more, by the schema learned.

        for answer in pages: records.take(answer)
        if records.needs_second_pass:
            records.begin_second_pass()
            for answer in pages_from_the_landing_zone: records.take(answer)
        decoded = records.finish()
    """

    def __init__(
        self,
        resource: Resource,
        work: Path,
        learned: Kind | None,
        make_watch: Callable[[pl.Schema], Watch],
        stream: Stream | None = None,
    ) -> None:
        """Begin.

        Args:
            resource: Whose records they are.
            work: Folder of this attempt's files.
            learned: The schema that the ledger keeps for the resource.
            make_watch: Makes the cursor's watch from the columns.
            stream: Where the records go on to while more of them are coming.

        Raises:
            ConfigurationError: A declared type has no column type.
        """
        self.received = 0
        self._resource = resource
        self._work = work
        self._known = learned or NO_FIELDS
        self._learned: Kind | None = None
        self._make_watch = make_watch
        self._stream = stream
        self._evidence: Evidence | None = None
        if resource.record is None and learned is None:
            self._evidence = Evidence()
        else:
            self._open(self._known, is_settled=False)

    @property
    def needs_second_pass(self) -> bool:
        """Whether the pages taken so far were only learned from."""
        return self._evidence is not None

    @part("decode")
    def take(self, answer: Answer) -> None:
        """Take the records of a page.

        Raises:
            ConfigurationError: The schema lacks a field, and the resource is declared `freeze`.
        """
        if self._evidence is None and self._decode(answer):
            return
        assert self._evidence is not None
        self._evidence.observe_records(answer.records)
        self.received += answer.count()

    def begin_second_pass(self) -> None:
        """Settle the schema by what was seen; every page is taken again.

        Raises:
            ConfigurationError: There was nothing to learn from.
        """
        assert self._evidence is not None
        declared = describe_known(self._resource.record or NoRecord)
        new = self._evidence.beyond(extend(declared, self._known))
        grown = extend(self._known, new)
        if self._resource.record is None and not grown.is_typed:
            raise ConfigurationError(
                f"{self._resource.name}: there is nothing to learn a schema from: {self.received} records, "
                "and no value in any of them. Run again once the API has some, or declare its record."
            )
        self._log_learned(new)
        self._learned = grown if grown != self._known else None
        self._evidence, self.received = None, 0
        self._open(grown, is_settled=True)

    def finish(self) -> Decoded:
        """Write what is buffered, and say what there is."""
        self._make_chunk()
        self._rows.close()
        rejected = self._rejected.close()
        self._report(rejected)
        return Decoded(
            frames=str(self._rows.folder),
            decoded=self._rows.count,
            rejected_count=self._rejected.count,
            rejected=rejected,
            learned=self._learned,
        )

    def _open(self, learned: Kind, *, is_settled: bool) -> None:
        self._decoder = RecordDecoder(self._resource, learned, is_settled=is_settled)
        columns, name = self._decoder.columns, self._resource.name
        watch = self._make_watch(columns.schema)
        self._rows = RecordParts(self._work / name, columns, watch, self._stream)
        self._rejected = RejectedParts(self._work / f"{name}.rejected.parquet")
        self._pages: list[DecodedPage] = []
        self._held_rows = self._held_bytes = 0

    def _decode(self, answer: Answer) -> bool:
        """Whether the page could be decoded; else its fields, and those of the pages to come, are learned."""
        try:
            page = self._decoder.decode(answer)
        except OutgrownError:
            _log.info(
                "%s: page %d has fields that are new; they are learned first.",
                self._resource.name,
                answer.page.number,
            )
            self._evidence = Evidence()
            return False
        if count := len(page.rows) + len(page.rejected):
            self._hold(page, count)
        return True

    def _hold(self, page: DecodedPage, count: int) -> None:
        # From here on more fields may be left out.
        if self._pages and page.columns is not self._pages[0].columns:
            self._make_chunk()
        self._pages.append(page)
        self.received += count
        self._held_rows += count
        self._held_bytes += len(page.answer.page.body)
        if self._held_rows >= _CHUNK_ROWS or self._held_bytes >= _CHUNK_BYTES:
            self._make_chunk()

    def _make_chunk(self) -> None:
        """Make columns of the pages that are held."""
        pages, self._pages = self._pages, []
        self._held_rows = self._held_bytes = 0
        if pages:
            chunk, rejected = self._decoder.make_chunk(pages)
            self._rows.add(chunk)
            self._rejected.add(rejected)

    def _log_learned(self, new: Kind) -> None:
        fields = list_fields(new) if new != UNKNOWN else {}
        typed = [f"{path} ({kind})" for path, kind in fields.items() if kind.is_typed]
        empty = [path for path, kind in fields.items() if not kind.is_typed]
        _log.info("%s: %d fields learned: %s", self._resource.name, len(typed), ", ".join(typed))
        if empty:
            _log.warning(
                "%s: %d fields are null or empty in all %d records, and no columns until one has a value: %s",
                self._resource.name,
                len(empty),
                self.received,
                ", ".join(empty),
            )

    def _report(self, rejected: str | None) -> None:
        name = self._resource.name
        if dropped := self._decoder.count_dropped():
            fields = ", ".join(f"{path} ({count})" for path, count in sorted(dropped.items()))
            _log.warning("%s: values left out, as columns='discard' says: %s", name, fields)
        if not self._decoder.is_counting:
            _log.warning("%s: more than %d fields are left out, no longer counted.", name, MAX_FIELDS)
        if self._decoder.nul_removed:
            _log.warning(
                "%s: the character U+0000 removed from %d records, as nul='remove' says.",
                name,
                self._decoder.nul_removed,
            )
        if rejected:
            _log.warning(
                "%s: %d of %d records do not fit their schema and are rejected; first: %s",
                name,
                self._rejected.count,
                self.received,
                self._rejected.first,
            )
