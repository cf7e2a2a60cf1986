"""Pages that each name the next: by a cursor, by a link."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import msgspec

from tasks.errors import FatalError
from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.hints import refuse_near_miss
from tasks.extract.pagination.links import find_link
from tasks.extract.pagination.places import fact_of, send
from tasks.extract.pagination.protocol import HeaderFact, PagesLoopError, Reads
from tasks.extract.pagination.totals import Flags, Totals
from tasks.extract.reading import BodyReader, Fact
from tasks.extract.seen import FirstSeen
from tasks.extract.urls import resolve
from tasks.pipeline.paging import Cursor, LastRecord, LinkHeader, NextLink, Paged, PageInfo, Place

_ENDS: tuple[Any, ...] = (None, "", False, [], {})
"""And 0, which equals False: some APIs end with it. PHP writes an empty object as a list."""


class ChainedPages(ABC):
    """Pages of which each names the next, so only one is known at a time."""

    def __init__(self, resource: str, declared: Paged, start: PageRequest) -> None:
        self._resource = resource
        self._declared = declared
        size = {declared.size_param: declared.page_size} if declared.size_param else {}
        self._start = send(start, declared.send_in, size)
        self._totals = Totals(resource, None, declared.total_records)
        self._flags = Flags(declared.has_more, declared.is_last)
        self.reads: Reads = {**self._totals.reads, **self._flags.reads}
        self.total_pages: int | None = None
        self._next: Any = None
        self._requested = 0
        self._taken = 0
        self._seen = FirstSeen()

    @abstractmethod
    def _find_next(self, answer: Answer) -> Any:
        """What names the next page; None when nothing does."""

    @abstractmethod
    def _ask_next(self, named: Any) -> PageRequest:
        """The request for the page so named."""

    def next_request(self) -> PageRequest | None:
        """The first request, and each other once the page before it has named it."""
        if self._requested > self._taken or (self._taken and self._next is None):
            return None
        self._requested += 1
        request = self._ask_next(self._next) if self._taken else self._start
        return msgspec.structs.replace(request, number=self._requested)

    def take(self, answer: Answer) -> None:
        """Learn which page is next.

        Raises:
            FatalError: The API promises another page and does not name it.
            PagesLoopError: It names one that it named before.
        """
        self._taken += 1
        asked_with, self._next = self._next, None
        if answer.is_missing:
            return
        self._totals.take(answer)
        follows = self._flags.read(answer.facts)
        if follows is False:
            return
        self._next = self._find_next(answer)
        if self._next == asked_with and not answer.count():
            # Where the API stands still it will say the same again: it gives a cursor to come back with.
            self._next = None
        elif self._next is not None:
            self._refuse_loop(answer)
        elif follows:
            raise FatalError(
                f"{self._resource}: page {answer.page.number} says that more follows, but names no next "
                f"page. Check the paginator of the resource: {self._declared!r}."
            )

    def _refuse_loop(self, answer: Answer) -> None:
        earlier = self._seen.note(hash(msgspec.json.encode(self._next)), self._taken)
        if earlier != self._taken:
            raise PagesLoopError(
                f"{self._resource}: the API leads in a circle: page {self._taken} names the same next page "
                f"as page {earlier} did, {_shorten(self._next)}. It was asked {answer.page.url}. Does it "
                f"know its parameters? Check the paginator of the resource."
            )

    def withdraw(self) -> bool:
        """Nothing is asked for before it is known."""
        return False

    def finish(self, received: int) -> None:
        """Compare with the announced number of records, if one is declared.

        Raises:
            PagesShiftedError: The sum is another.
        """
        self._totals.finish(received, self._taken)

    def state(self) -> Mapping[str, Any]:
        """What names the next page."""
        return {"next": self._next}


class CursorPages(ChainedPages):
    """The next page is named by a value: in the body, in a header, or in the last record."""

    def __init__(self, resource: str, declared: Cursor, start: PageRequest) -> None:
        super().__init__(resource, declared, start)
        self._place = declared.next
        self._param = declared.param
        self._last: BodyReader | None = None
        if isinstance(self._place, LastRecord):
            self._last = BodyReader({"next": Fact(self._place.field, Any)})
        else:
            self.reads = {**self.reads, "next": fact_of(self._place, Any)}

    def _find_next(self, answer: Answer) -> Any:
        if self._last is None:
            _hint(self._resource, self._place, answer)
            return _named(answer.facts["next"])
        records = answer.cut()
        if not records:
            return None
        try:
            named = self._last.read(records[-1])["next"]
        except msgspec.MsgspecError as exc:
            raise self._nameless(answer, str(exc)) from exc
        if named is None or named == "":
            raise self._nameless(answer, f"its field is {named!r}")
        return named

    def _nameless(self, answer: Answer, reason: str) -> FatalError:
        return FatalError(
            f"{self._resource}: the last record of page {answer.page.number} cannot name the next page: "
            f"{reason}. Check LastRecord(field=…) in the paginator of the resource."
        )

    def _ask_next(self, named: Any) -> PageRequest:
        return send(self._start, self._declared.send_in, {self._param: named})


class ConnectionPages(CursorPages):
    """A GraphQL connection: its `pageInfo` has the cursor and says whether others follow."""

    def __init__(self, resource: str, declared: PageInfo, start: PageRequest) -> None:
        cursor = Cursor(
            param=f"variables.{declared.variable}",
            next=f"{declared.path}.endCursor",
            has_more=f"{declared.path}.hasNextPage",
            send_in="body",
            size_param=f"variables.{declared.size_param}" if declared.size_param else None,
            page_size=declared.page_size,
            total_records=declared.total_records,
        )
        super().__init__(resource, cursor, start)


class LinkedPages(ChainedPages):
    """The next page is named by its URL, in the body or in a header of its own."""

    def __init__(self, resource: str, declared: NextLink, start: PageRequest) -> None:
        super().__init__(resource, declared, start)
        self._place = declared.next
        self.reads = {**self.reads, "next": fact_of(self._place, str | bool | None)}

    def _find_next(self, answer: Answer) -> Any:
        _hint(self._resource, self._place, answer)
        return _absolute(self._resource, answer, answer.facts["next"])

    def _ask_next(self, named: Any) -> PageRequest:
        # The link holds the parameters; a body and headers belong to every page.
        return msgspec.structs.replace(self._start, url=named)


class LinkHeaderPages(ChainedPages):
    """The next page is named in the `Link` header (RFC 8288)."""

    def __init__(self, resource: str, declared: LinkHeader, start: PageRequest) -> None:
        super().__init__(resource, declared, start)
        self._rel = declared.rel
        self.reads = {**self.reads, "link": HeaderFact("Link")}

    def _find_next(self, answer: Answer) -> Any:
        try:
            link = find_link(answer.facts["link"] or "", self._rel)
        except ValueError as exc:
            raise FatalError(
                f"{self._resource}: page {answer.page.number} at {answer.page.url}: {exc}"
            ) from exc
        return _absolute(self._resource, answer, link)

    def _ask_next(self, named: Any) -> PageRequest:
        return msgspec.structs.replace(self._start, url=named)


def _absolute(resource: str, answer: Answer, link: Any) -> Any:
    if _named(link) is None:
        return None
    try:
        return resolve(answer.page.url, str(link))
    except ValueError as exc:
        raise FatalError(
            f"{resource}: page {answer.page.number} at {answer.page.url} names {_shorten(link)} as the next "
            f"page, which is no address: {exc}"
        ) from exc


def _named(value: Any) -> Any:
    """The value; None when it is one that ends."""
    return None if value in _ENDS else value


def _hint(resource: str, place: Place | LastRecord, answer: Answer) -> None:
    """Page 1 without a next page may be all there is, or the sign of a mistyped path."""
    if answer.page.number == 1 and isinstance(place, str) and answer.facts["next"] is None:
        refuse_near_miss(resource, place, answer)


def _shorten(named: Any) -> str:
    text = str(named)
    return repr(text if len(text) <= 100 else f"{text[:100]}…")
