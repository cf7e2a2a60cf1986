"""Segments: some consecutive pages as one Parquet file, `first-last.parquet`, one row a page."""

import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from tasks.extract.pages import Page

_NAME = re.compile(r"(\d{8,})-(\d{8,})\.parquet")
_SCHEMA = pl.Schema(
    {
        "page": pl.Int64(),
        "url": pl.String(),
        "request_body": pl.Binary(),
        "status": pl.Int64(),
        "content_type": pl.String(),
        "headers": pl.String(),
        "next_state": pl.String(),
        "fetched_at": pl.Datetime("us", "UTC"),
        "sha256": pl.String(),
        "body": pl.Binary(),
    }
)
_FIELDS = {"page": "number"}
"""Columns whose name is not that of the field of `Page`."""


class Damaged(Exception):  # noqa: N818 (never leaves this step)
    """A segment that cannot be used."""


def select_segments(names: Iterable[str]) -> list[str]:
    """Those names that are segments', in the order of their pages."""
    return sorted((name for name in names if _NAME.fullmatch(name)), key=_bounds)


def encode_segment(pages: Sequence[Page]) -> tuple[str, bytes]:
    """Name and content of the segment that holds these pages."""
    columns = {name: [getattr(page, _FIELDS.get(name, name)) for page in pages] for name in _SCHEMA}
    encoded = io.BytesIO()
    frame = pl.DataFrame(columns, schema=_SCHEMA)
    frame.write_parquet(encoded, compression="zstd", compression_level=1, statistics=False)
    return f"{pages[0].number:08}-{pages[-1].number:08}.parquet", encoded.getvalue()


def decode_segment(name: str, data: bytes, *, after: int, is_vouched_for: bool) -> Iterator[Page]:
    """The pages of a segment, which must continue page `after`.

    Args:
        name: Its name.
        data: Its content.
        after: Number of the page before.
        is_vouched_for: The content's hash was compared already; that of each page then need not be.

    Raises:
        Damaged: It is not what was written, before the first page is returned.
    """
    frame = _read_frame(name, data)
    first, last = _bounds(name)
    if first != after + 1 or frame["page"].to_list() != list(range(first, last + 1)):
        raise Damaged(f"{name} does not continue page {after}")
    if not is_vouched_for:
        _check_pages(name, frame)
    rows = frame.rename(_FIELDS).iter_rows(named=True, buffer_size=16)
    return (Page(**row) for row in rows)


def hash_of(data: bytes) -> str:
    """sha256, hex."""
    return hashlib.sha256(data).hexdigest()


def _read_frame(name: str, data: bytes) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as exc:
        raise Damaged(f"{name} cannot be read: {type(exc).__name__}") from exc
    if frame.schema != _SCHEMA:
        raise Damaged(f"{name} has other columns")
    return frame


def _check_pages(name: str, frame: pl.DataFrame) -> None:
    for number, body, expected in frame.select("page", "body", "sha256").iter_rows(buffer_size=16):
        if hash_of(body) != expected:
            raise Damaged(f"{name} page {number} does not have its sha256")


def _bounds(name: str) -> tuple[int, int]:
    first, last = map(int, _NAME.fullmatch(name).groups())  # type: ignore[union-attr]  # a segment's name
    return first, last
