"""From the declaration of a resource to its paginator."""

from collections.abc import Callable
from typing import Any

from tasks.extract.pages import PageRequest
from tasks.extract.pagination.cursors import ConnectionPages, CursorPages, LinkedPages, LinkHeaderPages
from tasks.extract.pagination.custom import open_custom
from tasks.extract.pagination.numbered import NumberedPages
from tasks.extract.pagination.offsets import OffsetPages
from tasks.extract.pagination.protocol import Paginator
from tasks.extract.pagination.single import OnePage
from tasks.pipeline import Resource
from tasks.pipeline.paging import (
    Cursor,
    CustomPages,
    LinkHeader,
    NextLink,
    Offset,
    PageInfo,
    PageNumber,
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
