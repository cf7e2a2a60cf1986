"""A second server: its own names, and the habits of servers that documentation does not tell of."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

from tasks.pipeline import (
    Cursor,
    Header,
    LastRecord,
    LinkHeader,
    NextLink,
    Offset,
    PageInfo,
    PageNumber,
    RecordList,
    Resource,
    SinglePage,
)
from tests.integration.tasks.extract.dialects.declarations import Item
from tests.integration.tasks.extract.dialects.server import Asked, Dialect, Record, Reply

COUNT, SIZE = 95, 10
ROWS: list[Record] = [{"id": number, "name": f"é {number}"} for number in range(COUNT)]


class Stranger(NamedTuple):
    """How it answers, how it is declared, how many records there are."""

    answer: Dialect
    resource: Resource
    records: int


STRANGERS: dict[str, Stranger] = {}


def speaks(
    count: int = COUNT, **declared: Any
) -> Callable[[Callable[[Asked], Reply]], Callable[[Asked], Reply]]:
    """Add a server's function and its declaration."""

    def add(answer: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
        name = answer.__name__
        resource = Resource(name="items", path=f"/{name}", record=Item, **{"records": "rows"} | declared)
        STRANGERS[name] = Stranger(lambda asked, _records: answer(asked), resource, count)
        return answer

    return add


def numbered(asked: Asked) -> list[Record]:
    return beginning(SIZE * (int(asked.query.get("page", 1)) - 1))


def beginning(start: int) -> list[Record]:
    return ROWS[start : start + SIZE]


def token(asked: Asked) -> int:
    return int(asked.query.get("tok") or 0)


def follows(start: int) -> bool:
    return start + SIZE < COUNT


@speaks(paginator=PageNumber(page_size=SIZE, total_pages=Header(name="x-total-pages")))
def header_in_capitals(asked: Asked) -> Reply:
    return Reply({"rows": numbered(asked)}, {"X-TOTAL-PAGES": " 10"})


@speaks(paginator=PageNumber(page_size=SIZE, total_records="count"))
def total_as_text(asked: Asked) -> Reply:
    return Reply({"rows": numbered(asked), "count": "95"})


@speaks(paginator=PageNumber(page_size=SIZE, total_records="count"))
def total_as_a_float(asked: Asked) -> Reply:
    return Reply({"rows": numbered(asked), "count": 95.0})


@speaks(paginator=PageNumber(page_size=SIZE, total_records="count"))
def total_on_page_1_only(asked: Asked) -> Reply:
    is_first = asked.query["page"] == "1"
    return Reply({"rows": numbered(asked), **({"count": COUNT} if is_first else {})})


@speaks(records="", paginator=Offset(page_size=SIZE, total_records=Header(name="Content-Range")))
def total_in_content_range(asked: Asked) -> Reply:
    start = int(asked.query["offset"])
    return Reply(beginning(start), {"content-range": f"rows {start}-{start + 9}/{COUNT}"}, status=206)


@speaks(0, paginator=PageNumber(page_size=SIZE, total_records="count"))
def null_of_a_total_of_0(_asked: Asked) -> Reply:
    return Reply({"rows": None, "count": 0})


@speaks(paginator=PageNumber(page_size=SIZE, total_pages="pages"))
def one_page_too_many_announced(asked: Asked) -> Reply:
    return Reply({"rows": numbered(asked), "pages": 11})


@speaks(paginator=PageNumber(first=0, param="pg", size_param="sz", page_size=50, total_records="n"))
def from_page_0_with_a_cap(asked: Asked) -> Reply:
    return Reply({"rows": beginning(SIZE * int(asked.query["pg"])), "n": COUNT})


@speaks(paginator=PageNumber(page_size=SIZE, is_last="last"))
def flag_as_text(asked: Asked) -> Reply:
    return Reply({"rows": numbered(asked), "last": str(asked.query["page"] == "10")})


@speaks(paginator=Offset(first=1, param="from", size_param="count", page_size=50))
def from_offset_1_with_a_cap(asked: Asked) -> Reply:
    return Reply({"rows": beginning(int(asked.query["from"]) - 1)})


@speaks(paginator=Offset(page_size=SIZE))
def no_content_past_the_end(asked: Asked) -> Reply:
    found = beginning(int(asked.query["offset"]))
    return Reply({"rows": found}) if found else Reply(b"", status=204)


@speaks(0, paginator=SinglePage(total_records="count"))
def no_content_at_all(_asked: Asked) -> Reply:
    return Reply(b"", status=204)


@speaks(records=RecordList(path="rows", may_be_absent=True), paginator=Offset(page_size=SIZE))
def null_past_the_end(asked: Asked) -> Reply:
    return Reply({"rows": beginning(int(asked.query["offset"])) or None})


@speaks(records=RecordList(path="rows", may_be_absent=True), paginator=Cursor(param="tok", next="tok"))
def nothing_past_the_end(asked: Asked) -> Reply:
    start = token(asked)
    return Reply({"rows": beginning(start), "tok": str(start + SIZE)} if start < COUNT else {"kind": "list"})


@speaks(paginator=Cursor(param="tok", next="tok"))
def cursor_that_stays_at_the_end(asked: Asked) -> Reply:
    start = token(asked)
    return Reply({"rows": beginning(start), "tok": str(min(start + SIZE, COUNT))})


@speaks(paginator=Cursor(param="tok", next="meta.tok"))
def list_for_an_empty_object(asked: Asked) -> Reply:
    start = token(asked)
    return Reply({"rows": beginning(start), "meta": {"tok": start + SIZE} if follows(start) else []})


@speaks(paginator=Cursor(param="tok", next="tok", has_more="more"))
def cursor_beside_no_more(asked: Asked) -> Reply:
    start = token(asked)
    return Reply({"rows": beginning(start), "tok": start + SIZE, "more": "Y" if follows(start) else "N"})


@speaks(paginator=Cursor(param="tok", next=Header(name="X-Next")))
def empty_cursor_in_a_header(asked: Asked) -> Reply:
    start = token(asked)
    return Reply({"rows": beginning(start)}, {"x-nExt": str(start + SIZE) if follows(start) else ""})


@speaks(paginator=Cursor(param="tok", next=LastRecord(field="id")))
def empty_page_after_the_last_record(asked: Asked) -> Reply:
    return Reply({"rows": beginning(int(asked.query.get("tok", -1)) + 1)})


@speaks(paginator=NextLink(next="links.next.href"))
def link_in_another_order(asked: Asked) -> Reply:
    start = token(asked)
    following = {"next": {"href": f"?z=1&lim=10&tok={start + SIZE}&a=%20b"}} if follows(start) else {}
    return Reply({"links": following, "rows": beginning(start)})


@speaks(records="", paginator=LinkHeader(size_param=None))
def links_of_many_kinds(asked: Asked) -> Reply:
    start = token(asked)
    links = ['<https://other.test/doc;v=1?x=a,b>; rel="help license"; title="next, b; <c>"', "</x>;rel=first"]
    if follows(start):
        address = f"{asked.base}{asked.path}?n=10;x=1&tok={start + SIZE}"
        links.append(f"<{address}> ; title*=UTF-8''n%C3%A4; REL=\"last NEXT\"; results=true")
    return Reply(beginning(start), {"LINK": ", ".join(links)})


@speaks(
    method="POST",
    json_body={"q": 1},
    paginator=PageNumber(
        param="page.number", size_param="page.size", page_size=SIZE, send_in="body", has_more="page.more"
    ),
)
def created_by_a_search(asked: Asked) -> Reply:
    start = SIZE * (asked.body["page"]["number"] - 1)
    return Reply({"rows": beginning(start), "page": {"more": follows(start)}}, status=201)


@speaks(
    records="data.things.nodes",
    method="POST",
    json_body={"query": "…"},
    paginator=PageInfo(path="data.things.pageInfo", variable="cur"),
)
def graphql(asked: Asked) -> Reply:
    start = int((asked.body.get("variables") or {}).get("cur") or 0)
    info = {"endCursor": str(start + SIZE) if follows(start) else None, "hasNextPage": follows(start)}
    return Reply({"data": {"things": {"nodes": beginning(start), "pageInfo": info}}})


@speaks(paginator=PageNumber(page_size=SIZE))
def gzip_in_capitals(asked: Asked) -> Reply:
    return Reply(gzip.compress(encode(asked)), {"Content-Encoding": "GZIP"})


@speaks(paginator=PageNumber(page_size=SIZE))
def deflate_without_a_head(asked: Asked) -> Reply:
    pack = zlib.compressobj(wbits=-15)
    return Reply(pack.compress(encode(asked)) + pack.flush(), {"Content-Encoding": "deflate"})


@speaks(paginator=PageNumber(page_size=SIZE))
def mark_and_wrong_type(asked: Asked) -> Reply:
    return Reply(b"\xef\xbb\xbf" + encode(asked), {"Content-Type": "text/html; charset=iso-8859-1"})


@speaks(paginator=PageNumber(page_size=SIZE))
def another_charset(asked: Asked) -> Reply:
    text = json.dumps({"rows": numbered(asked)}, ensure_ascii=False)
    return Reply(text.encode("latin-1"), {"Content-Type": 'application/json; charset="ISO-8859-1"'})


def encode(asked: Asked) -> bytes:
    return json.dumps({"rows": numbered(asked)}, ensure_ascii=False).encode()
