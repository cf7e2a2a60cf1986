"""Cut the records out of a damaged body without reading them, so that one is rejected and not the page."""

import re
from collections.abc import Iterator

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},:]', re.DOTALL)


def cut_records(body: bytes, path: list[str], cause: Exception) -> tuple[list[bytes], bytes]:
    """The slices of a list's elements, and the body with that list emptied.

    Only strings and brackets are looked at, without recursion, so what is wrong inside a record (NaN, half
    a surrogate pair, 2,000 levels) does not matter.

    Raises:
        ValueError: Brackets are not balanced or the list is not there; the message is that of `cause`.
    """
    wanted = [None, *(key.encode() for key in path)]
    cuts: list[int] = []
    for depth, keys, token in _walk(body, cause):
        mark = token.group()
        if (mark == b"[" and not cuts and keys == wanted) or (cuts and mark == b"," and depth == len(wanted)):
            cuts.append(token.end())
        elif cuts and mark == b"]" and depth == len(wanted) - 1:
            edges = zip(cuts, [*(cut - 1 for cut in cuts[1:]), token.start()], strict=True)
            records = [body[start:stop].strip() for start, stop in edges]
            return records if records != [b""] else [], body[: cuts[0]] + body[token.start() :]
    raise ValueError(str(cause)) from cause


def _walk(body: bytes, cause: Exception) -> Iterator[tuple[int, list[bytes | None], re.Match[bytes]]]:
    """Each bracket and comma, with the number of open brackets after it and the keys they stand under."""
    keys: list[bytes | None] = []
    brackets: list[bytes] = []
    text, key = b"", None
    for token in _TOKEN.finditer(body):
        mark = token.group()
        if mark[:1] == b'"':
            text = mark[1:-1]
            continue
        if mark == b":":
            key = text
            continue
        if mark in b"[{":
            brackets.append(mark)
            keys.append(key)
            key = None
        elif mark in b"]}":
            if not brackets or brackets.pop() + mark not in (b"[]", b"{}"):
                raise ValueError(str(cause)) from cause
            keys.pop()
        yield len(brackets), keys, token
