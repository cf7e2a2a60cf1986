"""The dialects as a pipeline declares them; the table prints how many lines each takes."""

from collections.abc import Callable

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


class Item(Struct):
    id: int
    name: str


def open_meteo() -> Resource:
    return Resource(name="items", path="/open_meteo", record=Item, paginator=SinglePage())


def world_bank() -> Resource:
    return Resource(
        name="items",
        path="/world_bank",
        record=Item,
        records="[1]",
        paginator=PageNumber(page_size=SIZE, total_pages="[0].pages", total_records="[0].total"),
    )


def wordpress() -> Resource:
    return Resource(
        name="items",
        path="/wordpress",
        record=Item,
        records="",
        paginator=PageNumber(
            page_size=SIZE,
            total_pages=Header(name="X-WP-TotalPages"),
            total_records=Header(name="X-WP-Total"),
        ),
    )


def brewery_db() -> Resource:
    return Resource(
        name="items", path="/brewery_db", record=Item, records="", paginator=PageNumber(page_size=SIZE)
    )


def django_rest() -> Resource:
    return Resource(
        name="items",
        path="/django_rest",
        record=Item,
        records="results",
        paginator=PageNumber(size_param="page_size", page_size=500, total_records="count"),
    )


def spring_data() -> Resource:
    return Resource(
        name="items",
        path="/spring_data",
        record=Item,
        records="content",
        paginator=PageNumber(first=0, size_param="size", page_size=SIZE, is_last="last"),
    )


def stack_exchange() -> Resource:
    return Resource(
        name="items",
        path="/stack_exchange",
        record=Item,
        records="items",
        paginator=PageNumber(size_param="pagesize", page_size=SIZE, has_more="has_more"),
    )


def socrata() -> Resource:
    return Resource(
        name="items",
        path="/socrata",
        record=Item,
        records="",
        paginator=Offset(param="$offset", size_param="$limit", page_size=SIZE),
    )


def jira() -> Resource:
    return Resource(
        name="items",
        path="/jira",
        record=Item,
        records="issues",
        paginator=Offset(param="startAt", size_param="maxResults", page_size=SIZE, total_records="total"),
    )


def usgs() -> Resource:
    return Resource(
        name="items", path="/usgs", record=Item, records="features", paginator=Offset(first=1, page_size=SIZE)
    )


def elasticsearch() -> Resource:
    return Resource(
        name="items",
        path="/elasticsearch",
        method="POST",
        json_body={"query": {"match_all": {}}},
        record=Item,
        records="hits.hits",
        paginator=Offset(
            param="from",
            size_param="size",
            page_size=SIZE,
            total_records="hits.total.value",
            send_in="body",
        ),
    )


def slack() -> Resource:
    return Resource(
        name="items",
        path="/slack",
        record=Item,
        records="members",
        paginator=Cursor(next="response_metadata.next_cursor", size_param="limit", page_size=SIZE),
    )


def hubspot() -> Resource:
    return Resource(
        name="items",
        path="/hubspot",
        record=Item,
        records="results",
        paginator=Cursor(param="after", next="paging.next.after", size_param="limit", page_size=SIZE),
    )


def airtable() -> Resource:
    return Resource(
        name="items",
        path="/airtable",
        record=Item,
        records="records",
        paginator=Cursor(param="offset", next="offset", size_param="pageSize", page_size=SIZE),
    )


def gitlab() -> Resource:
    return Resource(
        name="items",
        path="/gitlab",
        record=Item,
        records="",
        paginator=Cursor(
            param="page", next=Header(name="X-Next-Page"), size_param="per_page", page_size=SIZE
        ),
    )


def cosmos_db() -> Resource:
    return Resource(
        name="items",
        path="/cosmos_db",
        record=Item,
        records="Documents",
        paginator=Cursor(
            param="x-ms-continuation",
            next=Header(name="x-ms-continuation"),
            size_param="x-ms-max-item-count",
            page_size=SIZE,
            send_in="header",
        ),
    )


def stripe() -> Resource:
    return Resource(
        name="items",
        path="/stripe",
        record=Item,
        paginator=Cursor(
            param="starting_after",
            next=LastRecord(field="id"),
            has_more="has_more",
            size_param="limit",
            page_size=SIZE,
        ),
    )


def zendesk() -> Resource:
    return Resource(
        name="items",
        path="/zendesk",
        record=Item,
        records="tickets",
        paginator=Cursor(
            param="page[after]",
            next="meta.after_cursor",
            has_more="meta.has_more",
            size_param="page[size]",
            page_size=SIZE,
        ),
    )


def notion() -> Resource:
    return Resource(
        name="items",
        path="/notion",
        method="POST",
        record=Item,
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


def graphql() -> Resource:
    nodes = "data.repository.issues"
    query = (
        'query($first: Int, $after: String) { repository(owner: "o", name: "n") '
        "{ issues(first: $first, after: $after) { nodes { id name } pageInfo { endCursor hasNextPage } } } }"
    )
    return Resource(
        name="items",
        path="/graphql",
        method="POST",
        json_body={"query": query},
        record=Item,
        records=f"{nodes}.nodes",
        paginator=PageInfo(path=f"{nodes}.pageInfo", size_param="first", page_size=SIZE),
    )


def microsoft_graph() -> Resource:
    return Resource(
        name="items",
        path="/microsoft_graph",
        record=Item,
        records="value",
        paginator=NextLink(next="['@odata.nextLink']", size_param="$top", page_size=SIZE),
    )


def salesforce() -> Resource:
    return Resource(
        name="items",
        path="/salesforce/query",
        record=Item,
        records="records",
        paginator=NextLink(next="nextRecordsUrl", is_last="done", total_records="totalSize"),
    )


def github() -> Resource:
    return Resource(
        name="items",
        path="/github",
        record=Item,
        records="",
        paginator=LinkHeader(size_param="per_page", page_size=SIZE),
    )


def mediawiki() -> Resource:
    def continue_with(first: PageRequest) -> Pages:
        answer = yield first
        while more := answer.json().get("continue"):
            answer = yield first.ask(**more)

    return Resource(
        name="items",
        path="/mediawiki",
        params={"aplimit": str(SIZE)},
        record=Item,
        records="query.allpages",
        paginator=continue_with,
    )


DECLARED: dict[str, Callable[[], Resource]] = {
    declared.__name__: declared
    for declared in (
        open_meteo,
        world_bank,
        wordpress,
        brewery_db,
        django_rest,
        spring_data,
        stack_exchange,
        socrata,
        jira,
        usgs,
        elasticsearch,
        slack,
        hubspot,
        airtable,
        gitlab,
        cosmos_db,
        stripe,
        zendesk,
        notion,
        graphql,
        microsoft_graph,
        salesforce,
        github,
        mediawiki,
    )
}
