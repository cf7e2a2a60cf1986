"""How an API cuts its records into pages: one declaration a dialect.

A `Place` is where a page says something: a path into its body (`"meta.total"`), or `Header(name=…)`.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer

from tasks.pipeline.declaring import Declaration
from tasks.pipeline.paths import JsonPath
from tasks.pipeline.records import describe_function


class Header(Declaration):
    """The response's header of that name, in any case of letters."""

    name: str


class LastRecord(Declaration):
    """A field of the last record of a page, by its path in the record."""

    field: JsonPath


Place = JsonPath | Header
SendIn = Literal["query", "body", "header"]
"""Where a paginator puts its parameter; in the body, the parameter's name is a path (`variables.after`)."""


class SinglePage(Declaration):
    """All records in one answer."""

    total_records: Place | None = None


class Paged(Declaration):
    """What all dialects of several pages have in common.

    Attributes:
        size_param: The parameter that asks for a page size; None where the API knows none.
        page_size: How many records to ask for. An API that gives fewer is followed at its own size.
        total_records: Where a page says how many records there are in all. An extraction that received
            another number fails instead of loading a part.
        has_more, is_last: Where a page says whether others follow.
        send_in: Where the parameters go.
    """

    size_param: str | None = None
    page_size: int = Field(default=100, gt=0)
    total_records: Place | None = None
    has_more: Place | None = None
    is_last: Place | None = None
    send_in: SendIn = "query"


class Positional(Paged):
    """Pages that are asked for by where they are, so several can be fetched at once.

    Without a total the end is an empty page (`ends_with="empty_page"`), or one that is shorter than those
    before it. Pages are then asked for ahead of what is known, unless `ask_ahead=False`.

    Attributes:
        ends_with: What the last page looks like. A short page is taken for the end only where it is declared
            to be, since many APIs leave records out of pages or cap their size.
        past_end: Statuses by which the API answers a page past the end, as some do by 404.
        ask_ahead: Whether a few pages may be asked for that turn out not to exist.
        allow_overlap: A record that opens a page and is in the page before it, too, tells that records
            moved meanwhile, and fails the run; this lets it pass, for records that do look the same.
    """

    ends_with: Literal["empty_page", "short_page"] = "empty_page"
    past_end: tuple[int, ...] = ()
    ask_ahead: bool = True
    allow_overlap: bool = False


class PageNumber(Positional):
    """Pages counted by a number: `?page=3&per_page=100`.

    `total_pages` is where a page says how many there are; `total_records` will do, too.
    """

    param: str = "page"
    size_param: str | None = "per_page"
    first: int = 1
    total_pages: Place | None = None


class Offset(Positional):
    """Pages by the place of their first record: `?offset=200&limit=100`; `first` is where counting starts."""

    param: str = "offset"
    size_param: str | None = "limit"
    first: int = 0


class Cursor(Paged):
    """Each page names the next by an opaque value: `?cursor=dXNlcjpVMEc5V0ZYTlo`.

    `next` is where it stands: in the body, in a header, or in the last record. One that is missing, null,
    empty, false or 0 ends the extraction, as does `has_more` or `is_last`. Of the last record's field only an
    empty page does, or a flag.
    """

    param: str = "cursor"
    next: Place | LastRecord


class PageInfo(Paged):
    """GraphQL connections: `pageInfo { endCursor hasNextPage }` at `path`, sent back as a variable."""

    path: JsonPath
    variable: str = "after"
    size_param: str | None = None
    send_in: Literal["body"] = "body"


class NextLink(Paged):
    """Each page holds the next one's URL, absolute or relative to its own; missing, null or empty at the end.

    A link to another origin is not followed.
    """

    next: Place


class LinkHeader(Paged):
    """Each page names the next in its `Link` header (RFC 8288): `Link: <…?page=2>; rel="next"`."""

    rel: str = "next"


PageFunction = Annotated[Callable[[Any], Any], PlainSerializer(describe_function)]
"""A function of the pipeline's own: see `tasks/extract/pagination/custom.py`."""


class CustomPages(Declaration):
    """Pages asked for by a function of the pipeline's own, which may read some headers.

    `pages` takes the first request and yields requests, receiving each answer in turn.
    """

    pages: PageFunction
    headers: tuple[str, ...] = ()


Paginator = (
    SinglePage | PageNumber | Offset | Cursor | PageInfo | NextLink | LinkHeader | CustomPages | PageFunction
)
