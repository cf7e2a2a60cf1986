"""Decode the records of a page, strictly: what does not fit is rejected with its path, one at a time."""

import collections
import decimal
from collections.abc import Sequence
from itertools import chain
from typing import Any, NoReturn

import msgspec
import polars as pl
from msgspec import Raw, Struct

from tasks.errors import ConfigurationError
from tasks.extract.decoding.columns import Columns
from tasks.extract.decoding.exact import ExactnessCheck
from tasks.extract.decoding.instants import UnstorableTimeError
from tasks.extract.decoding.learning import MAX_FIELDS, Evidence
from tasks.extract.decoding.problems import BROKEN, Problem, describe_problem
from tasks.extract.decoding.storable import may_be_unstorable, remove_nul
from tasks.extract.decoding.strict import NoRecord, build_record, describe_known
from tasks.extract.pages import Answer
from tasks.pipeline import Resource
from tasks.pipeline.paths import parse_path, show_path
from tasks.pipeline.times import read_declared_time
from tasks.schema import NO_FIELDS, UNKNOWN, Kind, extend, list_fields


class Rejected(Struct, frozen=True):
    """A record that did not fit: page and index (from 0) where it stood, JSON path, reason, JSON text.

    The text is as the API sent it, invalid UTF-8 in hexadecimal; it need not be valid JSON.
    """

    page: int
    index: int
    path: str
    message: str
    record: str


class DecodedPage(Struct, frozen=True):
    """The records of a page, of the type that `columns` has, and those that do not fit."""

    answer: Answer
    columns: Columns
    rows: list[Struct]
    rejected: list[Rejected] = []
    nul_removed: int = 0


class OutgrownError(Exception):
    """A record has fields that the schema does not have, and they are to be learned."""


class RecordDecoder:
    """Decodes the records of one resource by its schema: the declared record, and what was learned beyond it.

    A field that neither has is never passed over in silence: `evolve` raises OutgrownError, `freeze` a
    ConfigurationError with the difference, `discard` leaves it out and counts it.
    """

    def __init__(self, resource: Resource, learned: Kind = NO_FIELDS, *, is_settled: bool = False) -> None:
        """Build the decoders.

        Args:
            resource: Whose records they are.
            learned: The learned schema.
            is_settled: The schema was learned from these very records: nothing can be new.
        """
        self.nul_removed = 0
        self._resource = resource
        self._declared = resource.record or NoRecord
        self._learned = learned
        self._known = extend(describe_known(self._declared), learned)
        self._policy = "settled" if is_settled else resource.columns
        self._takes_notice = self._policy in {"evolve", "freeze"}
        self._dropped = NO_FIELDS
        self.is_counting = True
        self._built: list[Columns] = []
        self._place = _place_of(resource)
        self._build()

    def decode(self, answer: Answer) -> DecodedPage:
        """The records of a page in order, and those that do not fit, times apart, which `make_chunk` finds.

        Raises:
            OutgrownError: There are new fields, and `columns` is `evolve`.
            ConfigurationError: There are new fields, and `columns` is `freeze`.
        """
        records = answer.records
        rows = self._decode_page(records) if isinstance(records, Raw) else None
        if rows is not None:
            return DecodedPage(answer, self.columns, rows)
        if self._policy == "discard" and self.is_counting and self._drop_new_fields(answer.cut()):
            return self.decode(answer)
        return self._decode_each(answer)

    def make_chunk(self, pages: Sequence[DecodedPage]) -> tuple[pl.DataFrame, list[Rejected]]:
        """Pages of one type as a piece of a frame for `Columns.join`, and the records that do not fit."""
        try:
            chunk = _make_chunk(pages)
        except UnstorableTimeError:
            # Found only now, since to look for it in the text of every page is a tenth of decoding.
            pages = [self._decode_each(page.answer) for page in pages]
            chunk = _make_chunk(pages)
        self.nul_removed += sum(page.nul_removed for page in pages)
        return chunk, [rejected for page in pages for rejected in page.rejected]

    def count_dropped(self) -> dict[str, int]:
        """How many values were left out, by dotted path."""
        counts: collections.Counter[str] = collections.Counter()
        for columns in self._built:
            counts.update(columns.count_dropped())
        return dict(counts)

    def _build(self) -> None:
        record = build_record(self._declared, self._learned, self._dropped, is_strict=self.is_counting)
        loose = build_record(self._declared, self._learned, is_strict=False)
        self.columns = Columns(self._resource.name, record)
        self._built.append(self.columns)
        self._exactness = ExactnessCheck(record)
        self._all = _decoder_of(list[record])  # type: ignore[valid-type]  # built at run time
        self._one = _decoder_of(record)
        self._loose = _decoder_of(loose)

    def _decode_page(self, records: Raw) -> list[Struct] | None:
        """All records at once; None when they must be looked at one by one."""
        try:
            rows: list[Struct] = self._all.decode(records)
        except BROKEN:
            return None
        columns, text = self.columns, bytes(records)
        is_suspect = columns.has_decimals or may_be_unstorable(text, has_raw=columns.has_raw)
        if is_suspect and any(map(columns.find_unstorable, rows)):
            return None
        if self._exactness.is_suspect(text) and not self._exactness.holds_all(records):
            return None
        return rows

    def _decode_each(self, answer: Answer) -> DecodedPage:
        page, records = answer.page.number, answer.cut()
        rows: list[Struct] = []
        rejected: list[Rejected] = []
        nul_removed = 0
        for index, record in enumerate(records):
            kept = remove_nul(record) if self._resource.nul == "remove" else record
            nul_removed += kept != record
            decoded = self._decode_one(kept)
            if isinstance(decoded, Struct):
                rows.append(decoded)
            elif decoded is None:
                self._refuse(page, records)
            else:
                path, message = decoded
                text = record.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
                rejected.append(Rejected(page, index, f"{self._place}[{index}]{path}", message, text))
        return DecodedPage(answer, self.columns, rows, rejected, nul_removed)

    def _decode_one(self, record: bytes) -> Struct | Problem | None:
        """The record, or path and reason why it is none; None when the schema lacks a field of it."""
        try:
            row: Struct = self._one.decode(record)
        except BROKEN as exc:
            # By the type that lets other fields pass, a value that does not fit comes to light first.
            problem = self._find_misfit(record)
            if problem is None and self._takes_notice and self._find_new([record]) != UNKNOWN:
                return None
            return problem or describe_problem(record, exc)
        return self.columns.find_unstorable(row) or self._exactness.find(record) or row

    def _find_misfit(self, record: bytes) -> Problem | None:
        try:
            self._loose.decode(record)
        except BROKEN as exc:
            return describe_problem(record, exc)
        return None

    def _refuse(self, page: int, records: Sequence[bytes]) -> NoReturn:
        new = self._find_new(records)
        if self._policy == "evolve":
            raise OutgrownError
        fields = ", ".join(f"{path} ({kind})" for path, kind in list_fields(new).items())
        raise ConfigurationError(
            f"{self._resource.name}: page {page} has fields that the schema does not have, and the resource "
            f"is declared columns='freeze': {fields}. Add them to its record, or set columns to 'evolve' "
            "(take them in) or 'discard' (leave them out, counted)."
        )

    def _find_new(self, records: Sequence[bytes]) -> Kind:
        """What these records hold beyond the schema."""
        evidence = Evidence()
        evidence.observe_records(list(records))
        return evidence.beyond(self._known)

    def _drop_new_fields(self, records: Sequence[bytes]) -> bool:
        """Learn which fields to leave out; whether there are any that were not left out yet."""
        new = self._find_new(records)
        dropped = extend(self._dropped, new)
        if dropped == self._dropped:
            return False
        # Beyond that, keys are data, and every page would bring new ones.
        self.is_counting = len(list_fields(dropped)) <= MAX_FIELDS
        self._dropped = dropped if self.is_counting else NO_FIELDS
        self._build()
        return True


def _make_chunk(pages: Sequence[DecodedPage]) -> pl.DataFrame:
    return pages[0].columns.make_chunk(list(chain.from_iterable(page.rows for page in pages)))


def _decoder_of(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, dec_hook=read_declared_time, float_hook=decimal.Decimal)


def _place_of(resource: Resource) -> str:
    """Where the records are in a body, as a JSON path."""
    return show_path(parse_path(resource.records)) if isinstance(resource.records, str) else "$"
