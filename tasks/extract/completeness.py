"""Never silently partial, and never without end: what the pages themselves give away."""

import json

from msgspec import Raw

from tasks.errors import FatalError
from tasks.extract.pages import Answer
from tasks.extract.pagination.protocol import PagesShiftedError
from tasks.extract.seen import FirstSeen
from tasks.pipeline import Resource
from tasks.pipeline.paging import Positional

_HEAD_BYTES = 65_536


class PageRepeatedError(FatalError):
    """Two pages hold the same records: the API does not understand the paginator."""


class PageWatch:
    """Sees all pages of an extraction go by, in order."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        declared = resource.paginator
        self._looks_for_overlap = isinstance(declared, Positional) and not declared.allow_overlap
        self._seen = FirstSeen()
        self._before: tuple[int, Answer] | None = None
        self._part = 0
        self._empty = 0

    def watch(self, answer: Answer, part: int) -> None:
        """See the next page; `part` tells apart what may hold the same records: windows, children.

        Raises:
            FatalError: There is no end to them.
            PageRepeatedError: It is the same as an earlier one.
            PagesShiftedError: It begins with a record of the page before.
        """
        self._refuse_endless(answer)
        self._empty = self._empty + 1 if not answer.fingerprint and part == self._part else 0
        self._part = part
        if not answer.fingerprint:
            self._refuse_emptiness(answer)
            return
        self._refuse_repetition(answer, part)
        if self._looks_for_overlap:
            if self._before and self._before[0] == part:
                self._refuse_overlap(answer, self._before[1])
            self._before = part, answer

    def _refuse_endless(self, answer: Answer) -> None:
        if answer.page.number > self._resource.max_pages:
            raise FatalError(
                f"{self._resource.name}: there is more after {self._resource.max_pages:,} pages; the next is "
                f"{answer.page.url}. Does the API promise another page for ever? If it is right, declare a "
                f"greater max_pages."
            )

    def _refuse_emptiness(self, answer: Answer) -> None:
        if self._empty >= self._resource.max_empty_pages:
            raise FatalError(
                f"{self._resource.name}: {self._empty:,} pages one after another hold no record, the last is "
                f"{answer.page.url}. Does the API promise another page for ever? If it is right, declare a "
                f"greater max_empty_pages."
            )

    def _refuse_repetition(self, answer: Answer, part: int) -> None:
        number = answer.page.number
        earlier = self._seen.note(hash((part, answer.fingerprint)), number)
        if earlier != number:
            raise PageRepeatedError(
                f"{self._resource.name}: pages {earlier} and {number} hold the same records. Does the API at "
                f"{answer.page.url} know its parameters? Check the paginator of the resource, and declare "
                f"SinglePage() if there is only one page."
            )

    def _refuse_overlap(self, answer: Answer, before: Answer) -> None:
        first = _first_record(answer)
        # Looking for the text is cheap; cutting the page before into its records is not.
        if first is None or first not in before.page.body or first not in before.cut():
            return
        shown = first[:200].decode("utf-8", "replace")
        raise PagesShiftedError(
            f"{self._resource.name}: pages shifted during the run: page {answer.page.number} begins with "
            f"a record that was on page {before.page.number}, too: {shown}. A new run starts afresh. If "
            f"records of this API may well be equal, declare allow_overlap=True in the paginator."
        )


def _first_record(answer: Answer) -> bytes | None:
    """The first record as it came; None when it is longer than 64 KB or not valid JSON."""
    if not isinstance(answer.records, Raw):
        return answer.records[0]
    head = bytes(memoryview(answer.records)[1:_HEAD_BYTES]).decode("utf-8", "replace").lstrip()
    try:
        return head[: json.JSONDecoder().raw_decode(head)[1]].encode()
    except (ValueError, RecursionError):
        return None
