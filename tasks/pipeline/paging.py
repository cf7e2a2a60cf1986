"""How an API cuts its records into pages."""

from pydantic import Field

from tasks.pipeline.declaring import Declaration


class PageNumber(Declaration):
    """Pages counted by a number, ending where the body says how many there are.

    The paths (`total_pages`, `total_records`) are dotted names into the JSON body. With `total_records` an
    extraction that received another number of records than announced fails instead of loading a part.
    """

    param: str = "page"
    size_param: str | None = "per_page"
    page_size: int = Field(default=1000, gt=0)
    first: int = 1
    total_pages: str = "pages"
    total_records: str | None = None
