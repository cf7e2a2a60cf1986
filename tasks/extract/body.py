"""Read a body to its end, within a time and a size."""

import time
import zlib

import requests
from urllib3.exceptions import HTTPError, ProtocolError

from tasks.errors import FatalError, RetriableError
from tasks.extract.codings import KNOWN, decode, refuse_size

_READ_BYTES = 1_000_000
"""What is there, up to this much: `Response.content` reads 10 KB at a time, at half the speed."""
LARGEST_PAGE_BYTES = 1_000_000_000
"""More in one page is a mistake, or a compressed bomb; it would fill the memory."""


class Deadline:
    """A point in time that something must be done by."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends_at = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        """Seconds until then; 0 when it is over."""
        return max(0.0, self._ends_at - time.monotonic())


def read_body(response: requests.Response, deadline: Deadline) -> bytes:
    """The body, decompressed.

    A time-out of `requests` bounds the silence between two packets, so a body that trickles in byte by byte
    would never end: hence a read for each packet, and a look at the clock.

    Raises:
        RetriableError: It did not end in time.
        FatalError: It is too large.
        requests.RequestException: It broke off, or is not compressed as it says.
    """
    codings = _read_codings(response)
    parts: list[bytes] = []
    size = 0
    try:
        while part := response.raw.read1(_READ_BYTES, decode_content=False):
            parts.append(part)
            size += len(part)
            refuse_size(size, LARGEST_PAGE_BYTES)
            if not deadline.left_s:
                raise RetriableError(f"the body did not end within deadline_s, {deadline.seconds:g} s")
        return decode(b"".join(parts), codings, most_bytes=LARGEST_PAGE_BYTES)
    except zlib.error as exc:
        raise requests.exceptions.ContentDecodingError(
            f"it is not, or not all of it, {', '.join(codings)}: {exc}"
        ) from exc
    except ProtocolError as exc:
        raise requests.exceptions.ChunkedEncodingError(exc) from exc
    except HTTPError as exc:  # a time-out, or TLS
        raise requests.exceptions.ConnectionError(exc) from exc


def _read_codings(response: requests.Response) -> list[str]:
    codings = response.headers.get("Content-Encoding", "").lower().replace(" ", "").split(",")
    if unknown := [each for each in codings if each not in KNOWN]:
        raise FatalError(
            f"the body is compressed by {unknown[0]!r}, which was not asked for (Accept-Encoding: "
            f"{response.request.headers.get('Accept-Encoding')}) and cannot be read"
        )
    return codings
