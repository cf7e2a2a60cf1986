"""Content codings: a compressed body as it was before, or an error; never a part of it.

urllib3's decoders take a stream that breaks off, and one whose second member is damaged, for the whole. In
JSON that shows; lines, after each of which a server flushes, would be lost in silence.
"""

import threading
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack

from tasks.errors import FatalError

KNOWN = ("", "identity", "gzip", "x-gzip", "deflate")
"""What is asked for, under its names, and what is none."""
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_GZIP_BEGINS = b"\x1f\x8b"
_PIECE_BYTES = 16_000_000
_LARGE_BYTES = 64_000_000
_LARGE = threading.Lock()
"""Beyond 64 MB one body unfolds at a time: bombs on all connections take the room of one."""


def decode(body: bytes, codings: Sequence[str], *, most_bytes: int) -> bytes:
    """The body without its codings, which were applied in this order.

    Raises:
        zlib.error: It is not compressed so, is damaged, or breaks off.
        FatalError: It holds more than `most_bytes`.
    """
    for coding in reversed(codings):
        if coding in ("gzip", "x-gzip"):
            body = _collect(_gunzip(body), most_bytes)
        elif coding == "deflate":
            body = _inflate(body, most_bytes)
    return body


def refuse_size(size: int, most_bytes: int) -> None:
    """Raise a FatalError when a page is too large."""
    if size > most_bytes:
        raise FatalError(f"the page is larger than {most_bytes / 1e6:,.0f} MB: ask for fewer records")


def _gunzip(body: bytes) -> Iterator[bytes]:
    """The pieces of all members; what follows them and is none is padding."""
    while True:
        body = yield from _unfold(body, _GZIP)
        if not body.startswith(_GZIP_BEGINS):
            return


def _inflate(body: bytes, most_bytes: int) -> bytes:
    """With the head that RFC 9110 asks for, or without it as some servers send it."""
    try:
        return _collect(_unfold(body, _ZLIB), most_bytes)
    except zlib.error:
        return _collect(_unfold(body, _RAW), most_bytes)


def _unfold(body: bytes, form: int) -> Generator[bytes, None, bytes]:
    """The pieces of one stream to its end; returns what follows it."""
    if not body:
        return body
    stream, size = zlib.decompressobj(form), 0
    while not stream.eof and (piece := stream.decompress(body, _PIECE_BYTES)):
        yield piece
        body, size = stream.unconsumed_tail, size + len(piece)
    if not stream.eof:
        raise zlib.error(f"the compressed data break off after {size:,} bytes of content")
    return stream.unused_data


def _collect(pieces: Iterator[bytes], most_bytes: int) -> bytes:
    found: list[bytes] = []
    size = 0
    with ExitStack() as stack:
        for piece in pieces:
            size += len(piece)
            if size > most_bytes:
                found.clear()  # else the error would keep it, by its traceback
            refuse_size(size, most_bytes)
            if size > _LARGE_BYTES >= size - len(piece):
                stack.enter_context(_LARGE)
            found.append(piece)
        return b"".join(found)
