"""What a paginator is to the extraction, and what the paginators have in common."""

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct

from tasks.errors import FatalError, RetriableError
from tasks.extract.pages import Answer, PageRequest
from tasks.extract.reading import Fact


class PagesShiftedError(RetriableError):
    """The source changed under the extraction: what was landed is no whole any more, start afresh."""


class PagesLoopError(FatalError):
    """The API leads in a circle: following it would never end."""


class HeaderFact(Struct, frozen=True):
    """A value to read of the response's headers, by the header's name; None where it is not required."""

    name: str
    kind: Any = str
    required: bool = False


Reads = Mapping[str, Fact | HeaderFact]
"""Name → what to read under that name, of each page."""


class Paginator(Protocol):
    """Knows which pages to ask for next.

    It is fed with all answers in order, those read back from the landing zone too, so that it is always
    where an uninterrupted extraction would be: nothing but the answers and the declaration may decide what
    it asks for. Requests that it knows at one time are fetched concurrently: a numbered source knows all
    after the first page, a source with cursors only ever one.
    """

    @property
    def reads(self) -> Reads:
        """What it needs to know of each page besides the records."""

    @property
    def total_pages(self) -> int | None:
        """How many pages there are, once it is known."""

    def next_request(self) -> PageRequest | None:
        """The next request known by now, None when there is none before another answer came."""

    def take(self, answer: Answer) -> None:
        """Learn from the next answer."""

    def withdraw(self) -> bool:
        """Whether what was asked for and has not come is void by the last answer; asked after each.

        It is then dropped unread, and `next_request` goes on after the last answer taken.
        """

    def finish(self, received: int) -> None:
        """Check at the end that the records received are those announced."""

    def state(self) -> Mapping[str, Any]:
        """Where it stands, for the landing zone's readers; as JSON."""
