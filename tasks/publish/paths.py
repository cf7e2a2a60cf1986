"""Where each page of the report is, relative to the store's root."""

import re
from urllib.parse import quote

INDEX = "index.html"


def load_page(load_id: str, attempt_no: int) -> str:
    """Path of the page of one attempt at a load."""
    return f"loads/{file_name(load_id)}/{attempt_no}/index.html"


def table_page(load_id: str, attempt_no: int, table: str) -> str:
    """Path of the page with the expectation results of one table in one attempt."""
    # A table may be called "index"; no table's name holds a hyphen.
    name = "index-table" if table == "index" else file_name(table)
    return f"loads/{file_name(load_id)}/{attempt_no}/{name}.html"


def file_name(name: str) -> str:
    """`name` as one harmless path segment: letters, digits, `_`, `-` and inner dots stay."""
    return re.sub(r"[^\w.-]", "_", name).strip(".") or "_"


def href(path: str) -> str:
    """A relative path as a link."""
    return quote(path)
