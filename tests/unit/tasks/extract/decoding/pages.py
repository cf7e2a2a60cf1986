"""Pages with these records, and what becomes of them."""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tasks.extract.decoding.records import Records
from tasks.extract.envelope import Envelope
from tasks.extract.pages import Answer, Page
from tasks.pipeline import Resource
from tasks.schema import Kind
from tests.unit.tasks.extract.fake_api import NOW


@dataclass(frozen=True)
class Outcome:
    frame: pl.DataFrame
    rejected: list[dict[str, Any]]
    received: int
    learned: Kind | None


class NoCursor:
    """No one watches."""

    def watch(self, frame: pl.DataFrame) -> None:
        """Look away."""


def make_answer(*records: bytes, number: int = 1) -> Answer:
    body = b'{"data": [' + b", ".join(records) + b"]}"
    page = Page(
        number=number,
        url="https://api.example.test/flights",
        status=200,
        content_type="application/json",
        fetched_at=NOW,
        sha256=hashlib.sha256(body).hexdigest(),
        body=body,
    )
    return Answer(page, *Envelope("data", {}).open(body))


def decode_pages(resource: Resource, pages: Sequence[Sequence[Any]], learned: Kind | None = None) -> Outcome:
    """Take pages of records, bytes or anything that JSON has a form for, as an extraction does."""
    answers = [
        make_answer(*map(as_json, records), number=number) for number, records in enumerate(pages, start=1)
    ]
    with tempfile.TemporaryDirectory() as folder:
        records = Records(resource, Path(folder), learned, lambda _: NoCursor())
        for answer in answers:
            records.take(answer)
        if records.needs_second_pass:
            records.begin_second_pass()
            for answer in answers:
                records.take(answer)
        decoded = records.finish()
        frame = pl.read_parquet(f"{decoded.frames}/*.parquet", glob=True)
        rejected = pl.read_parquet(decoded.rejected).to_dicts() if decoded.rejected else []
    assert (frame.height, len(rejected)) == (decoded.decoded, decoded.rejected_count)
    assert decoded.decoded + decoded.rejected_count == records.received == sum(map(len, pages))
    return Outcome(frame, rejected, records.received, decoded.learned)


def as_json(record: Any) -> bytes:
    return record if isinstance(record, bytes) else json.dumps(record).encode()
