"""The dialects as a pipeline declares them; the table prints how many lines each takes."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from tasks.extract.pages import PageRequest
from tasks.extract.pagination.custom import Pages
from tasks.pipeline.paging import (
    Cursor,
    Header,
    LastRecord,
    LinkHeader,
    NextLink,
    Offset,
    PageInfo,
    PageNumber,
    SinglePage,
)
from tasks.pipeline.resource import Resource

SIZE = 100


DECLARED: dict[str, Callable[[], Resource]] = {}


class Item(Struct):
    id: int
    name: str


def declared(declare: Callable[[], Resource]) -> Callable[[], Resource]:
    DECLARED[declare.__name__] = declare
    return declare


def items(path: str, **declared: Any) -> Resource:
    """What all have in common: two lines of each declaration."""
    return Resource(name="items", path=path, record=Item, **declared)


@declared
def open_meteo() -> Resource:
    return items("/open_meteo", paginator=SinglePage())


@declared
def world_bank() -> Resource:
    return items(
        "/world_bank",
        records="[1]",
        paginator=PageNumber(page_size=SIZE, total_pages="[0].pages", total_records="[0].total"),
    )


@declared
def wordpress() -> Resource:
    return items(
        "/wordpress",
        records="",
        paginator=PageNumber(
            page_size=SIZE,
            total_pages=Header(name="X-WP-TotalPages"),
            total_records=Header(name="X-WP-Total"),
        ),
    )


@declared
def brewery_db() -> Resource:
    return items("/brewery_db", records="", paginator=PageNumber(page_size=SIZE))


@declared
def django_rest() -> Resource:
    return items(
        "/django_rest",
        records="results",
        paginator=PageNumber(size_param="page_size", page_size=500, total_records="count"),
    )


@declared
def spring_data() -> Resource:
    return items(
        "/spring_data",
        records="content",
        paginator=PageNumber(first=0, size_param="size", page_size=SIZE, is_last="last"),
    )


@declared
def stack_exchange() -> Resource:
    return items(
        "/stack_exchange",
        records="items",
        paginator=PageNumber(size_param="pagesize", page_size=SIZE, has_more="has_more"),
    )


@declared
def socrata() -> Resource:
    return items(
        "/socrata",
        records="",
        paginator=Offset(param="$offset", size_param="$limit", page_size=SIZE),
    )


@declared
def jira() -> Resource:
    return items(
        "/jira",
        records="issues",
        paginator=Offset(param="startAt", size_param="maxResults", page_size=SIZE, total_records="total"),
    )


@declared
def usgs() -> Resource:
    return items("/usgs", records="features", paginator=Offset(first=1, page_size=SIZE))


@declared
def elasticsearch() -> Resource:
    return items(
        "/elasticsearch",
        method="POST",
        json_body={"query": {"match_all": {}}},
        records="hits.hits",
        paginator=Offset(
            param="from",
            size_param="size",
            page_size=SIZE,
            total_records="hits.total.value",
            send_in="body",
        ),
    )


@declared
def slack() -> Resource:
    return items(
        "/slack",
        records="members",
        paginator=Cursor(next="response_metadata.next_cursor", size_param="limit", page_size=SIZE),
    )


@declared
def hubspot() -> Resource:
    return items(
        "/hubspot",
        records="results",
        paginator=Cursor(param="after", next="paging.next.after", size_param="limit", page_size=SIZE),
    )


@declared
def airtable() -> Resource:
    return items(
        "/airtable",
        records="records",
        paginator=Cursor(param="offset", next="offset", size_param="pageSize", page_size=SIZE),
    )


@declared
def gitlab() -> Resource:
    return items(
        "/gitlab",
        records="",
        paginator=Cursor(
            param="page", next=Header(name="X-Next-Page"), size_param="per_page", page_size=SIZE
        ),
    )


@declared
def cosmos_db() -> Resource:
    return items(
        "/cosmos_db",
        records="Documents",
        paginator=Cursor(
            param="x-ms-continuation",
            next=Header(name="x-ms-continuation"),
            size_param="x-ms-max-item-count",
            page_size=SIZE,
            send_in="header",
        ),
    )


@declared
def stripe() -> Resource:
    return items(
        "/stripe",
        paginator=Cursor(
            param="starting_after",
            next=LastRecord(field="id"),
            has_more="has_more",
            size_param="limit",
            page_size=SIZE,
        ),
    )


@declared
def zendesk() -> Resource:
    return items(
        "/zendesk",
        records="tickets",
        paginator=Cursor(
            param="page[after]",
            next="meta.after_cursor",
            has_more="meta.has_more",
            size_param="page[size]",
            page_size=SIZE,
        ),
    )


@declared
def notion() -> Resource:
    return items(
        "/notion",
        method="POST",
        records="results",
        paginator=Cursor(
            param="start_cursor",
            next="next_cursor",
            has_more="has_more",
            size_param="page_size",
            page_size=SIZE,
            send_in="body",
        ),
    )


@declared
def graphql() -> Resource:
    nodes = "data.repository.issues"
    query = (
        'query($first: Int, $after: String) { repository(owner: "o", name: "n") '
        "{ issues(first: $first, after: $after) { nodes { id name } pageInfo { endCursor hasNextPage } } } }"
    )
    return items(
        "/graphql",
        method="POST",
        json_body={"query": query},
        records=f"{nodes}.nodes",
        paginator=PageInfo(path=f"{nodes}.pageInfo", size_param="first", page_size=SIZE),
    )


@declared
def microsoft_graph() -> Resource:
    return items(
        "/microsoft_graph",
        records="value",
        paginator=NextLink(next="['@odata.nextLink']", size_param="$top", page_size=SIZE),
    )


@declared
def salesforce() -> Resource:
    return items(
        "/salesforce/query",
        records="records",
        paginator=NextLink(next="nextRecordsUrl", is_last="done", total_records="totalSize"),
    )


@declared
def github() -> Resource:
    return items(
        "/github",
        records="",
        paginator=LinkHeader(size_param="per_page", page_size=SIZE),
    )


@declared
def mediawiki() -> Resource:
    def continue_with(first: PageRequest) -> Pages:
        answer = yield first
        while more := answer.json().get("continue"):
            answer = yield first.ask(**more)

    return items(
        "/mediawiki",
        params={"aplimit": str(SIZE)},
        records="query.allpages",
        paginator=continue_with,
    )
