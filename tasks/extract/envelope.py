"""Read what is around the records of a page: is it a page at all, and what does the paginator need of it?"""

import codecs
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct, inspect

from tasks.errors import ConfigurationError
from tasks.extract.charset import to_utf8
from tasks.extract.cutting import cut_records
from tasks.extract.lines import as_list, read_csv, read_ndjson
from tasks.extract.pages import WITH_BODY, Answer, Page
from tasks.extract.pagination.protocol import HeaderFact
from tasks.extract.reading import BodyReader, Fact
from tasks.extract.reported import ErrorFinder
from tasks.extract.reshaping import reshape
from tasks.pipeline import BodyError
from tasks.pipeline.paths import parse_path, show_path
from tasks.pipeline.records import CsvBody, NdjsonBody, RecordForm, RecordList, Records, RowArrays

Facts = dict[str, Any]
Found = tuple[Raw | list[bytes], Facts]

_NULL = Raw(b"null")
_RECORDS, _NAMES, _CARRIED = "the records", "the names", "carried "
"""Names of our own among the facts; a paginator's hold no space."""
_TELLING = ("total_records", "has_more", "is_last")
"""Facts by which a page says that it is one."""


class Envelope:
    """Reads the envelope of a resource's pages: the records unread, the paginator's facts typed.

    It runs in the fetching threads, so that a body which is no page is asked for again there. For a plain
    list it costs 0.2 ms for 300 KB, since msgspec skips the records; the other forms are moved into a list.
    """

    def __init__(
        self,
        records: Records,
        facts: Mapping[str, str | Fact | HeaderFact],
        *,
        record: type[Struct] | None = None,
        error: BodyError | None = None,
    ) -> None:
        """Build the readers once.

        Args:
            records: Where the records are, and in which form.
            facts: Name → what the paginator reads of each page; a path alone is that of a required count.
            record: The record's type: it tells which cells of a CSV are numbers.
            error: Where a success may report an error.

        Raises:
            ConfigurationError: The paginator reads the body, and the body is not JSON.
        """
        self._headers = {name: fact for name, fact in facts.items() if isinstance(fact, HeaderFact)}
        self._facts = {
            name: Fact(fact) if isinstance(fact, str) else fact
            for name, fact in facts.items()
            if not isinstance(fact, HeaderFact)
        }
        self._error = ErrorFinder(error) if error else None
        self._is_json = not isinstance(records, CsvBody)
        self._open = self._choose(records, record)

    def keep_headers(self, headers: Mapping[str, str]) -> str:
        """JSON text of the headers that the paginator reads, to be landed with the page."""
        names = [fact.name for fact in self._headers.values()]
        return msgspec.json.encode({name: headers[name] for name in names if name in headers}).decode()

    def open_page(self, page: Page) -> Answer:
        """The page with its envelope read, come from the API or from the landing zone.

        Raises:
            ReportedError: It reports an error.
            ValueError: It is no page of this resource; the message says why.
        """
        if page.status not in WITH_BODY:
            return Answer(page, Raw(b"[]"), dict.fromkeys([*self._headers, *self._facts]), 0)
        records, facts, fingerprint = self.open(
            to_utf8(page.body, page.content_type) if self._is_json else page.body
        )
        return Answer(page, records, facts | self._read_headers(page.headers), fingerprint)

    def open(self, body: bytes) -> tuple[Raw | list[bytes], Facts, int]:
        """Records, the body's facts, and the fingerprint, as `Answer` describes them.

        Raises:
            ReportedError: It reports an error.
            ValueError: It is no page of this resource; the message says why.
        """
        # RFC 8259 lets a reader ignore a byte-order mark; it is no part of the data.
        body = body.removeprefix(codecs.BOM_UTF8)
        if self._error:
            self._error.raise_reported(body)
        try:
            records, facts = self._open(body)
        except (msgspec.MsgspecError, RecursionError) as exc:
            raise ValueError(str(exc)) from exc
        return records, facts, _fingerprint(records)

    def _read_headers(self, kept: str) -> Facts:
        if not self._headers:
            return {}
        headers = msgspec.json.decode(kept, type=dict[str, str])
        return {name: _read_header(fact, headers.get(fact.name)) for name, fact in self._headers.items()}

    def _choose(self, records: Records, record: type[Struct] | None) -> Callable[[bytes], Found]:
        if isinstance(records, str):
            return PlainList(records, self._facts, believes_null=self._error is not None).open
        if isinstance(records, NdjsonBody | CsvBody):
            if self._facts:
                raise ConfigurationError(
                    f"The paginator reads {', '.join(self._facts)} in the body, which is {records!r} and no "
                    f"JSON. Choose one that counts records or reads headers."
                )
            numbers = _numbers_of(record)
            return lambda body: (
                (read_csv(body, records, numbers) if isinstance(records, CsvBody) else read_ndjson(body)),
                {},
            )
        if isinstance(records, RecordForm):
            return ReshapedList(records, self._facts, believes_null=self._error is not None).open
        facts = BodyReader(self._facts) if self._facts else None
        return lambda body: (
            as_list([_as_json(each) for each in records(body)]),
            facts.read(body) if facts else {},
        )


class PlainList:
    """A list of objects somewhere in the body: one pass, the list as it came."""

    def __init__(self, path: str, facts: Mapping[str, Fact], *, believes_null: bool) -> None:
        self._path = parse_path(path)
        self._shown = f"`{show_path(self._path)}`"
        self._believes_null = believes_null
        self._reader = BodyReader({**facts, _RECORDS: Fact(path, Raw)})

    def open(self, body: bytes) -> Found:
        """Records and facts; the records as slices when one of them is not valid JSON.

        Raises:
            ValueError: It is no page.
        """
        try:
            found = self._reader.read(body)
        except msgspec.ValidationError:
            raise
        except (msgspec.DecodeError, RecursionError) as exc:
            return self._open_damaged(body, exc)
        records: Raw = found.pop(_RECORDS)
        if records == _NULL:
            return _nothing(found, self._shown, is_believed=self._believes_null), found
        if memoryview(records)[0] != ord("["):
            raise ValueError(f"{self._shown} is not a list")
        return records, found

    def _open_damaged(self, body: bytes, cause: Exception) -> Found:
        """Cut the records apart without reading them, so that a bad one is rejected and not the page."""
        if any(isinstance(step, int) for step in self._path):
            raise ValueError(str(cause)) from cause
        records, around = cut_records(body, [str(step) for step in self._path], cause)
        found = self._reader.read(around)
        del found[_RECORDS]
        return records, found


class ReshapedList:
    """Another form in JSON, moved into a list of objects."""

    def __init__(self, form: RecordForm, facts: Mapping[str, Fact], *, believes_null: bool) -> None:
        assert not isinstance(form, NdjsonBody | CsvBody)
        self._form = form
        may_be_absent = isinstance(form, RecordList) and form.may_be_absent
        self._believes_null = believes_null or may_be_absent
        own = {_RECORDS: Fact(form.path, Raw, required=not may_be_absent)}
        if isinstance(form, RowArrays) and isinstance(form.names, str):
            own[_NAMES] = Fact(form.names, Raw)
        carried = {_CARRIED + name: Fact(path, Raw, required=False) for name, path in form.carry.items()}
        self._reader = BodyReader({**facts, **own, **carried})

    def open(self, body: bytes) -> Found:
        """Records and facts.

        Raises:
            ValueError: It is no page, or what is at the path has another form.
        """
        found = self._reader.read(body)
        carried = {name: found.pop(_CARRIED + name) for name in self._form.carry}
        value, names = found.pop(_RECORDS), found.pop(_NAMES, Raw(b"[]"))
        if value == _NULL:
            shown = f"`{show_path(parse_path(self._form.path))}`"
            return _nothing(found, shown, is_believed=self._believes_null), found
        return reshape(self._form, value, carried, names), found


def _nothing(facts: Facts, shown: str, *, is_believed: bool) -> Raw:
    """No records, where null stands in place of them, or nothing.

    Some write an empty list so (Go, Google), others what failed. It is believed where it is declared, where
    errors are known by a declaration, and where the page itself says how many records there are, or whether
    this is the last.

    Raises:
        ValueError: It is not to be believed.
    """
    if not is_believed and all(facts.get(name) is None for name in _TELLING):
        raise ValueError(
            f"{shown} is not a list but null. If this API writes an empty list so, declare "
            f"records=RecordList(path=…, may_be_absent=True)"
        )
    return Raw(b"[]")


def _read_header(fact: HeaderFact, value: str | None) -> Any:
    if value is None:
        if fact.required:
            raise ValueError(f"the header {fact.name!r} is missing")
        return None
    try:
        return msgspec.convert(value, fact.kind, strict=False)
    except msgspec.ValidationError as exc:
        raise ValueError(f"the header {fact.name!r} is {value!r}: {exc}") from exc


def _fingerprint(records: Raw | list[bytes]) -> int:
    content = b",".join(records) if isinstance(records, list) else bytes(records)
    return hash(content) if len(content) > 2 else 0


def _as_json(record: Any) -> bytes:
    return record if isinstance(record, bytes) else msgspec.json.encode(record)


def _numbers_of(record: type[Struct] | None) -> frozenset[str]:
    """The JSON names of the fields that hold numbers or truth values."""
    info = inspect.type_info(record) if record else None
    if not isinstance(info, inspect.StructType):
        return frozenset()
    return frozenset(field.encode_name for field in info.fields if _is_number(field.type))


def _is_number(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.Metadata):
        return _is_number(kind.type)
    if isinstance(kind, inspect.UnionType):
        return all(_is_number(each) for each in kind.types if not isinstance(each, inspect.NoneType))
    return isinstance(kind, inspect.IntType | inspect.FloatType | inspect.BoolType | inspect.DecimalType)
