"""How real APIs cut their records into pages, each as its public documentation says."""

from collections.abc import Sequence
from urllib.parse import urlencode

from tests.integration.tasks.extract.dialects.server import Asked, Dialect, Record, Reply

Records = Sequence[Record]
PAGING: dict[str, Dialect] = {}


def spoken(dialect: Dialect) -> Dialect:
    PAGING[dialect.__name__] = dialect
    return dialect


def cut(records: Records, start: int, size: int) -> list[Record]:
    return list(records[max(start, 0) : max(start, 0) + max(size, 0)])


def count_pages(records: Records, size: int) -> int:
    return -(-len(records) // size)


def read_int(asked: Asked, name: str, default: int) -> int:
    return int(asked.query.get(name, default))


def link_to(asked: Asked, **params: object) -> str:
    return f"{asked.base}{asked.path}?{urlencode({**asked.query, **params})}"


@spoken
def open_meteo(_asked: Asked, records: Records) -> Reply:
    """All in one answer."""
    return Reply({"data": list(records)})


@spoken
def world_bank(asked: Asked, records: Records) -> Reply:
    """A pair: what is around the page, and the page."""
    page, size = read_int(asked, "page", 1), read_int(asked, "per_page", 50)
    around = {
        "page": page,
        "pages": count_pages(records, size),
        "per_page": str(size),
        "total": len(records),
    }
    return Reply([around, cut(records, (page - 1) * size, size)])


@spoken
def wordpress(asked: Asked, records: Records) -> Reply:
    """Totals in headers; at most 100 a page; past the end there is an error."""
    page, size = read_int(asked, "page", 1), min(read_int(asked, "per_page", 10), 100)
    pages = count_pages(records, size)
    if page > max(pages, 1):
        return Reply({"code": "rest_post_invalid_page_number", "data": {"status": 400}}, status=400)
    headers = {"X-WP-Total": str(len(records)), "X-WP-TotalPages": str(pages)}
    return Reply(cut(records, (page - 1) * size, size), headers)


@spoken
def brewery_db(asked: Asked, records: Records) -> Reply:
    """No totals; at most 50 a page, whatever is asked for; past the end the list is empty."""
    page, size = read_int(asked, "page", 1), min(read_int(asked, "per_page", 50), 50)
    return Reply(cut(records, (page - 1) * size, size))


@spoken
def django_rest(asked: Asked, records: Records) -> Reply:
    """A count, and links; past the end 404."""
    page, size = read_int(asked, "page", 1), min(read_int(asked, "page_size", 100), 100)
    pages = max(count_pages(records, size), 1)
    if page > pages:
        return Reply({"detail": "Invalid page."}, status=404)
    return Reply(
        {
            "count": len(records),
            "next": link_to(asked, page=page + 1) if page < pages else None,
            "previous": link_to(asked, page=page - 1) if page > 1 else None,
            "results": cut(records, (page - 1) * size, size),
        }
    )


@spoken
def spring_data(asked: Asked, records: Records) -> Reply:
    """Pages from 0, the last of which says so."""
    page, size = read_int(asked, "page", 0), read_int(asked, "size", 20)
    pages = count_pages(records, size)
    return Reply({"content": cut(records, page * size, size), "last": page >= pages - 1, "totalPages": pages})


@spoken
def stack_exchange(asked: Asked, records: Records) -> Reply:
    """`has_more` with every page."""
    page, size = read_int(asked, "page", 1), min(read_int(asked, "pagesize", 30), 100)
    found = cut(records, (page - 1) * size, size)
    return Reply({"items": found, "has_more": page * size < len(records), "quota_remaining": 299})


@spoken
def socrata(asked: Asked, records: Records) -> Reply:
    """Offset and limit with dollar signs; past the end the list is empty."""
    return Reply(cut(records, read_int(asked, "$offset", 0), read_int(asked, "$limit", 1000)))


@spoken
def jira(asked: Asked, records: Records) -> Reply:
    """Offset with a total, and fewer results a page than were asked for."""
    start, size = read_int(asked, "startAt", 0), min(read_int(asked, "maxResults", 50), 50)
    return Reply(
        {
            "startAt": start,
            "maxResults": size,
            "total": len(records),
            "issues": cut(records, start, size),
        }
    )


@spoken
def usgs(asked: Asked, records: Records) -> Reply:
    """Counts its offsets from 1."""
    start, size = read_int(asked, "offset", 1), read_int(asked, "limit", 20000)
    if start < 1:
        return Reply(b"Error 400: Bad Request\n\nBad offset value", status=400)
    return Reply({"type": "FeatureCollection", "features": cut(records, start - 1, size)})


@spoken
def elasticsearch(asked: Asked, records: Records) -> Reply:
    """From and size in the body of a POST."""
    return Reply(
        {
            "hits": {
                "total": {"value": len(records)},
                "hits": cut(records, asked.body["from"], asked.body["size"]),
            }
        }
    )


@spoken
def slack(asked: Asked, records: Records) -> Reply:
    """A cursor in the body, an empty one at the end."""
    start, size = read_cursor(asked.query.get("cursor")), read_int(asked, "limit", 100)
    following = make_cursor(start + size) if start + size < len(records) else ""
    return Reply(
        {
            "ok": True,
            "members": cut(records, start, size),
            "response_metadata": {"next_cursor": following},
        }
    )


@spoken
def hubspot(asked: Asked, records: Records) -> Reply:
    """A cursor three keys down; at the end all three are missing."""
    start, size = read_int(asked, "after", 0), min(read_int(asked, "limit", 10), 100)
    body: Record = {"results": cut(records, start, size)}
    if start + size < len(records):
        body["paging"] = {"next": {"after": str(start + size), "link": "https://api.hubapi.com/…"}}
    return Reply(body)


@spoken
def airtable(asked: Asked, records: Records) -> Reply:
    """A cursor that is called offset; missing at the end."""
    start, size = read_cursor(asked.query.get("offset")), min(read_int(asked, "pageSize", 100), 100)
    following = {"offset": make_cursor(start + size)} if start + size < len(records) else {}
    return Reply({"records": cut(records, start, size), **following})


@spoken
def gitlab(asked: Asked, records: Records) -> Reply:
    """The next page's number in a header, empty at the end."""
    page, size = read_int(asked, "page", 1), min(read_int(asked, "per_page", 20), 100)
    following = str(page + 1) if page < count_pages(records, size) else ""
    return Reply(cut(records, (page - 1) * size, size), {"x-next-page": following, "x-page": str(page)})


@spoken
def cosmos_db(asked: Asked, records: Records) -> Reply:
    """A cursor that comes in a header and goes in a header."""
    start = read_cursor(asked.headers.get("x-ms-continuation"))
    size = int(asked.headers.get("x-ms-max-item-count") or 100)
    following = {"x-ms-continuation": make_cursor(start + size)} if start + size < len(records) else {}
    return Reply({"Documents": cut(records, start, size)}, following)


@spoken
def stripe(asked: Asked, records: Records) -> Reply:
    """The last record's id is the next cursor."""
    after, size = asked.query.get("starting_after"), min(read_int(asked, "limit", 10), 100)
    start = 0 if after is None else 1 + next(i for i, each in enumerate(records) if str(each["id"]) == after)
    found = cut(records, start, size)
    return Reply({"object": "list", "data": found, "has_more": start + size < len(records)})


@spoken
def zendesk(asked: Asked, records: Records) -> Reply:
    """Parameters in brackets."""
    start, size = read_cursor(asked.query.get("page[after]")), read_int(asked, "page[size]", 100)
    more = start + size < len(records)
    return Reply(
        {
            "tickets": cut(records, start, size),
            "meta": {"has_more": more, "after_cursor": make_cursor(start + size)},
            "links": {"next": f"{asked.base}/elsewhere" if more else None},
        }
    )


@spoken
def notion(asked: Asked, records: Records) -> Reply:
    """A cursor in the body of a POST."""
    if asked.method != "POST":
        return Reply({"object": "error", "status": 405}, status=405)
    start, size = read_cursor(asked.body.get("start_cursor")), asked.body.get("page_size", 100)
    more = start + size < len(records)
    return Reply(
        {
            "object": "list",
            "results": cut(records, start, size),
            "next_cursor": make_cursor(start + size) if more else None,
            "has_more": more,
        }
    )


@spoken
def graphql(asked: Asked, records: Records) -> Reply:
    """GitHub's connections: a cursor among the variables, `pageInfo` with the nodes."""
    variables = asked.body["variables"]
    assert "pageInfo" in asked.body["query"]
    start, size = read_cursor(variables.get("after")), variables["first"]
    found = cut(records, start, size)
    page_info = {"endCursor": make_cursor(start + len(found)), "hasNextPage": start + size < len(records)}
    return Reply({"data": {"repository": {"issues": {"nodes": found, "pageInfo": page_info}}}})


@spoken
def microsoft_graph(asked: Asked, records: Records) -> Reply:
    """An absolute link under a key with a dot in it."""
    start, size = read_cursor(asked.query.get("$skiptoken")), read_int(asked, "$top", 100)
    more = start + size < len(records)
    link = {"@odata.nextLink": link_to(asked, **{"$skiptoken": make_cursor(start + size)})} if more else {}
    return Reply({"@odata.context": f"{asked.base}/$metadata", "value": cut(records, start, size), **link})


@spoken
def salesforce(asked: Asked, records: Records) -> Reply:
    """A relative link to another path, and a total."""
    start, size = int(asked.path.rpartition("-")[2]) if "-" in asked.path else 0, 200
    done = start + size >= len(records)
    link = {} if done else {"nextRecordsUrl": f"/salesforce/query/01gD0000002HU6KIAW-{start + size}"}
    return Reply({"totalSize": len(records), "done": done, "records": cut(records, start, size), **link})


@spoken
def github(asked: Asked, records: Records) -> Reply:
    """Links in a header (RFC 8288)."""
    page, size = read_int(asked, "page", 1), min(read_int(asked, "per_page", 30), 100)
    pages = count_pages(records, size)
    links = [f'<{link_to(asked, page=page - 1)}>; rel="prev"'] if page > 1 else []
    if page < pages:
        links += [
            f'<{link_to(asked, page=page + 1)}>; rel="next"',
            f'<{link_to(asked, page=pages)}>; rel="last"',
        ]
    return Reply(cut(records, (page - 1) * size, size), {"Link": ", ".join(links)} if links else {})


@spoken
def mediawiki(asked: Asked, records: Records) -> Reply:
    """What to continue with is an object, to be added to the parameters."""
    start, size = read_cursor(asked.query.get("apcontinue")), read_int(asked, "aplimit", 10)
    more = start + size < len(records)
    following = {"continue": {"apcontinue": make_cursor(start + size), "continue": "-||"}} if more else {}
    return Reply({"query": {"allpages": cut(records, start, size)}, **following})


def make_cursor(start: int) -> str:
    """Opaque, and with characters that must be encoded in a query."""
    return f"c+{start}=/&"


def read_cursor(cursor: str | None) -> int:
    return 0 if cursor is None else int(cursor.removeprefix("c+").removesuffix("=/&"))
