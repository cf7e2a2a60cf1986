"""Content codings: a compressed body as it was before, or an error; never a part of it.

urllib3's decoders take a stream that breaks off, and one whose second member is damaged, for the whole. In
JSON that shows; lines, after each of which a server flushes, would be lost in silence.
"""

import zlib
from collections.abc import Sequence

from tasks.errors import FatalError

KNOWN = ("", "identity", "gzip", "x-gzip", "deflate")
"""What is asked for, under its names, and what is none."""
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_GZIP_BEGINS = b"\x1f\x8b"


def decode(body: bytes, codings: Sequence[str], *, most_bytes: int) -> bytes:
    """The body without its codings, which were applied in this order.

    Raises:
        zlib.error: It is not compressed so, is damaged, or breaks off.
        FatalError: It holds more than `most_bytes`.
    """
    for coding in reversed(codings):
        if coding in ("gzip", "x-gzip"):
            body = _gunzip(body, most_bytes)
        elif coding == "deflate":
            body = _inflate(body, most_bytes)
    return body


def refuse_size(size: int, most_bytes: int) -> None:
    """Raise a FatalError when a page is too large."""
    if size > most_bytes:
        raise FatalError(f"the page is larger than {most_bytes / 1e6:,.0f} MB: ask for fewer records")


def _gunzip(body: bytes, most_bytes: int) -> bytes:
    """All members; what follows them and is none is padding."""
    members: list[bytes] = []
    size = 0
    while body and (not members or body.startswith(_GZIP_BEGINS)):
        member, body = _decompress(body, _GZIP, most_bytes)
        members.append(member)
        size += len(member)
        refuse_size(size, most_bytes)
    return b"".join(members)


def _inflate(body: bytes, most_bytes: int) -> bytes:
    """With the head that RFC 9110 asks for, or without it as some servers send it."""
    if not body:
        return body
    try:
        return _decompress(body, _ZLIB, most_bytes)[0]
    except zlib.error:
        return _decompress(body, _RAW, most_bytes)[0]


def _decompress(body: bytes, form: int, most_bytes: int) -> tuple[bytes, bytes]:
    """One stream to its end, and what follows it."""
    stream = zlib.decompressobj(form)
    content = stream.decompress(body, most_bytes + 1)
    refuse_size(len(content), most_bytes)
    if not stream.eof:
        raise zlib.error(f"the compressed data break off after {len(content):,} bytes of content")
    return content, stream.unused_data
