"""The `Link` header (RFC 8288, section 3)."""

import re
from collections.abc import Iterator

_TARGET = re.compile(r"[\s,]*<\s*([^>]*?)\s*>")
_PARAM = re.compile(r'\s*;\s*([^\s=;,"]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?')


def find_link(header: str, rel: str) -> str | None:
    """The target of the first link of this relation, as it is written; None when there is none.

    A target may hold semicolons and commas, a title may hold both and angle brackets, too; names and
    relations count in any case of letters, and one link may have several relations.

    Raises:
        ValueError: It is no `Link` header: what it says about the next page is not known.
    """
    for target, relations in _read_links(header):
        if rel.lower() in relations:
            return target
    return None


def _read_links(header: str) -> Iterator[tuple[str, list[str]]]:
    at = 0
    while header[at:].strip(" \t,"):
        target = _TARGET.match(header, at)
        if target is None:
            raise ValueError(f"the Link header cannot be read at {header[at : at + 80]!r}")
        at = target.end()
        relations: list[str] | None = None
        while param := _PARAM.match(header, at):
            at = param.end()
            if param[1].lower() == "rel" and relations is None:
                relations = (param[2] or param[3] or "").lower().split()
        yield target[1], relations or []
