"""From the declaration of a resource to its paginator."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import msgspec

from tasks.extract.pages import Answer, PageRequest
from tasks.extract.pagination.children import ChildPages
from tasks.extract.pagination.cursors import ConnectionPages, CursorPages, LinkedPages, LinkHeaderPages
from tasks.extract.pagination.custom import open_custom
from tasks.extract.pagination.numbered import NumberedPages
from tasks.extract.pagination.offsets import OffsetPages
from tasks.extract.pagination.protocol import Paginator
from tasks.extract.pagination.single import OnePage
from tasks.extract.pagination.windows import WindowedPages
from tasks.extract.parents import Family
from tasks.pipeline import Resource
from tasks.pipeline.paging import (
    Cursor,
    CustomPages,
    LinkHeader,
    NextLink,
    Offset,
    PageInfo,
    PageNumber,
    Positional,
    SinglePage,
)

_PAGINATORS: dict[type, Callable[[str, Any, PageRequest], Paginator]] = {
    SinglePage: OnePage,
    PageNumber: NumberedPages,
    Offset: OffsetPages,
    Cursor: CursorPages,
    PageInfo: ConnectionPages,
    NextLink: LinkedPages,
    LinkHeader: LinkHeaderPages,
    CustomPages: open_custom,
}


def paginate(resource: Resource, start: PageRequest) -> Paginator:
    """The paginator of a resource; `start` is what all its requests have in common."""
    declared = resource.paginator
    if not isinstance(declared, tuple(_PAGINATORS)):
        assert callable(declared)
        declared = CustomPages(pages=declared)
    return _PAGINATORS[type(declared)](resource.name, declared, start)


def paginate_children(resource: Resource, families: Iterable[Family]) -> Paginator:
    """The paginator of a child: that of the resource for each family, without asking ahead."""
    declared = resource.paginator
    if isinstance(declared, Positional):
        calm = declared.model_copy(update={"ask_ahead": False})
        resource = resource.model_copy(update={"paginator": calm})
    skip_missing = resource.parent is not None and resource.parent.on_missing == "skip"
    return ChildPages(partial(paginate, resource), families, skip_missing=skip_missing)


def paginate_all(resource: Resource, starts: Sequence[PageRequest]) -> Paginator:
    """The paginator of several requests that together bring all records; commonly of one."""
    paginators = [paginate(resource, start) for start in starts]
    return paginators[0] if len(paginators) == 1 else WindowedPages(paginators)


def learn(paginator: Paginator, answer: Answer) -> Answer:
    """Hand the next answer to the paginator; the answer, its page saying what the paginator knows now."""
    paginator.take(answer)
    state = msgspec.json.encode(paginator.state()).decode()
    return msgspec.structs.replace(answer, page=msgspec.structs.replace(answer.page, next_state=state))
