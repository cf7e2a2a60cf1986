"""Fuzz the decoder: mutated records, by a declared schema and by a learned one.

    python tests/benchmarks/extract/fuzz_decoder.py --documents 1000000 --seed 1

What must hold for every page: nothing but a ConfigurationError of `freeze` is raised, decoded + rejected =
received, and a value that was decoded is the value that was sent, as Python's own JSON parser reads it.
"""

import argparse
import datetime as dt
import hashlib
import json
import random
import re
import sys
import time
from collections import Counter
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct

from tasks.errors import ConfigurationError
from tasks.extract.decoding.columns import Columns
from tasks.extract.decoding.decoder import OutgrownError, RecordDecoder
from tasks.extract.decoding.learning import Evidence
from tasks.extract.envelope import Envelope
from tasks.extract.pages import Answer, Page
from tasks.pipeline import EpochMilliseconds, Resource, Rfc2822
from tasks.schema import NO_FIELDS, Kind

PAGE_RECORDS = 20
PAGES_A_DECODER = 100
DECODERS: dict[str, tuple[RecordDecoder, int]] = {}
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Leg(Struct):
    at: dt.datetime
    gate: str | None = None


class Trip(Struct):
    id: int
    share: float | None
    price: Decimal
    name: str
    late: bool
    at: dt.datetime
    local: Annotated[dt.datetime, Meta(tz=False)]
    day: dt.date
    sent: Rfc2822
    seen: EpochMilliseconds
    leg: Leg | None
    legs: list[Leg]
    tags: list[str | None]
    details: Raw


GOOD = {
    "id": 1,
    "share": 0.25,
    "price": "12.50",
    "name": "Åsa \U0001f600",
    "late": False,
    "at": "2013-01-01T05:00:00Z",
    "local": "2013-01-01T05:00:00.000001",
    "day": "2013-01-01",
    "sent": "Tue, 01 Jan 2013 05:00:00 +0000",
    "seen": 1357034400123,
    "leg": {"at": "2013-01-01T05:00:00+02:00", "gate": None},
    "legs": [{"at": "2013-01-01T05:00:00Z"}, {"at": "2013-01-01T05:00:00Z", "gate": "B7"}],
    "tags": ["a", None],
    "details": {"deep": [1, {"x": 1.5}]},
}
ODD = [
    *b"null true false 0 -0 -1 1.0 1e3 1e999 -1e-999 NaN Infinity -Infinity 01 .5 [] {} [[]] [null]".split(),
    *b'"" "\\u0000" "\\ud800" "\\udc00" "\\ud83d\\ude00" "\\\\u0000" "\xff" "a\x00b" \xef\xbb\xbf1'.split(),
    *b"9223372036854775807 9223372036854775808 -9223372036854775809 18446744073709551616".split(),
    *b"9007199254740993 0.1000000000000000001 123456789.123456789 1e-7 1.5 5e-324".split(),
    *b"12345678901234567890123456789012345678901234567890 0.10000000000000001".split(),
    *b'"2013-01-01T05:00:00.1234567Z" "0001-01-01T00:00:00+05:00" "1E+400" "NaN"'.split(),
    b'"9999-12-31T23:59:59-05:00"',
    b'"2013-01-01 05:00:00Z"',
    b"[" * 2000 + b"]" * 2000,
    b'{"a":' * 1200 + b"1" + b"}" * 1200,
    b'{"at": "2013-01-01T05:00:00Z", "gate": 1}',
    b'{"at": "2013-01-01T05:00:00Z", "new": 1}',
    b'[{"at": "2013-01-01T05:00:00Z", "gate": "x"}, null]',
]
TRIPS = {
    columns: Resource(name="trips", path="/trips", record=Trip, columns=columns)
    for columns in ("evolve", "freeze", "discard")
}
FRAGMENTS = [*ODD, *b'" \\ { } [ ] , : "id":7, "new":1,'.split(), b"\x00", b"\xed\xa0\x80"]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--documents", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    counts: Counter[str] = Counter()
    began, page = time.monotonic(), 0
    while counts["documents"] < given.documents:
        page += 1
        seed = f"{given.seed}-{page}"
        try:
            fuzz_page(random.Random(seed), counts)
        except Exception:
            print(f"page of seed {seed!r}", file=sys.stderr)
            raise
    print(f"{time.monotonic() - began:.0f} s, no crash, nothing lost, no value changed")
    for name, count in sorted(counts.items()):
        print(f"{name:>28} {count:>12,}")


def fuzz_page(rng: random.Random, counts: Counter[str]) -> None:
    """One page of records, one in a few mutated, by every policy."""
    records = [mutate(rng) for _ in range(PAGE_RECORDS)]
    counts["documents"] += len(records)
    body = b'{"data": [' + b",".join(records) + b"]}"
    try:
        answer = Answer(make_page(body), *Envelope("data", {}).open(body))
    except ValueError:
        # Brackets no longer match: it is no page, and would be fetched again. Each record by itself, then.
        counts["pages refused whole"] += 1
        answer = Answer(make_page(body), records, {}, 0)
    cut = answer.cut()
    columns = rng.choice(["evolve", "freeze", "discard"])
    decode(TRIPS[columns], NO_FIELDS, answer, cut, counts, f"declared, {columns}")
    if rng.random() < 0.1:
        learned = learn(NO_FIELDS, answer)
        decode(Resource(name="t", path="/t"), learned, answer, cut, counts, "learned", is_settled=True)


def decode(
    resource: Resource,
    learned: Kind,
    answer: Answer,
    cut: list[bytes],
    counts: Counter[str],
    mode: str,
    *,
    is_settled: bool = False,
) -> None:
    """Decode a page and check it."""
    decoder = RecordDecoder(resource, learned, is_settled=is_settled) if is_settled else decoder_of(resource)
    try:
        page = decoder.decode(answer)
    except OutgrownError:
        learned = learn(decoder._known, answer)
        decoder = RecordDecoder(resource, learned, is_settled=True)
        page = decoder.decode(answer)
    except ConfigurationError:
        counts[f"{mode}: refused"] += len(cut)
        return
    chunk, rejected = decoder.make_chunk([page])
    frame = decoder.columns.join([chunk])
    assert frame.height + len(rejected) == len(cut), (frame.height, len(rejected), len(cut))
    counts[f"{mode}: decoded"] += frame.height
    counts[f"{mode}: rejected"] += len(rejected)
    bad = {each.index for each in rejected}
    sent = [record for index, record in enumerate(cut) if index not in bad]
    for record, row in zip(sent, frame.iter_rows(named=True), strict=True):
        check(record, row, decoder.columns, counts)


def decoder_of(resource: Resource) -> RecordDecoder:
    """Kept for many pages, as an extraction does."""
    decoder, pages = DECODERS.get(resource.columns, (None, 0))
    if decoder is None or pages == PAGES_A_DECODER:
        decoder, pages = RecordDecoder(resource), 0
    DECODERS[resource.columns] = decoder, pages + 1
    return decoder


def learn(known: Kind, answer: Answer) -> Kind:
    evidence = Evidence()
    evidence.observe_records(answer.records)
    new = evidence.beyond(known)
    return new if new.type == "object" else NO_FIELDS


def check(record: bytes, row: dict[str, Any], columns: Columns, counts: Counter[str]) -> None:
    """Compare a decoded row with what Python's own parser reads in its record."""
    try:
        # What is left out by `discard` need not be UTF-8.
        sent = json.loads(record.decode("utf-8", "replace"), parse_float=read_exactly)
    except RecursionError:
        return
    for column in columns._columns:
        assert same(row[column.name], sent.get(column.key)), (column.name, row[column.name], record)
    counts["records compared"] += 1


def read_exactly(number: str) -> Decimal | str:
    """The number; its text where even a Decimal cannot hold the exponent."""
    try:
        return Decimal(number)
    except InvalidOperation:
        return number


def same(found: Any, sent: Any) -> bool:  # noqa: PLR0911  one for each type
    """Whether a cell is the value that was sent."""
    match found:
        case None:
            return sent in (None, {}, [])
        case dict():
            # A key without a letter is the column `_`.
            sent = {key or "_": value for key, value in sent.items()}
            return all(same(value, sent.get(key)) for key, value in found.items())
        case list():
            return len(found) == len(sent) and all(map(same, found, sent))
        case str():
            return found == sent or bool(json.loads(found, parse_float=read_exactly) == sent)
        case bool() | int():
            return type(found) is type(sent) and bool(found == sent)
        case dt.datetime():
            return same_time(found, sent)
        case dt.date():
            return bool(found.isoformat() == sent)
        case float():
            digits = max(len("".join(map(str, Decimal(sent).as_tuple().digits)).strip("0")), 1)
            return Decimal(format(found, f".{digits}g")) == Decimal(sent)
        case _:
            return bool(found == Decimal(sent))


def same_time(found: dt.datetime, sent: Any) -> bool:
    if isinstance(sent, int | Decimal):
        return (found - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1) == sent * 1000
    if re.search("[A-Z][a-z]{2} ", sent):
        return parsedate_to_datetime(sent) == found
    moment = dt.datetime.fromisoformat(sent.upper().replace(" ", "T"))
    return moment == found and (moment.tzinfo is None) == (found.tzinfo is None)


def mutate(rng: random.Random) -> bytes:
    """A record: good, with odd values, with a field more or less, or with bytes changed."""
    fields = {key: json.dumps(value, ensure_ascii=rng.random() < 0.5).encode() for key, value in GOOD.items()}
    fields["id"] = str(rng.randrange(2**63)).encode()
    fate = rng.random()
    if fate < 0.5:
        for key in rng.sample(sorted(fields), rng.choice([1, 1, 1, 3])):
            fields[key] = rng.choice(ODD)
    if 0.4 < fate < 0.55:
        fields.pop(rng.choice(sorted(fields)))
    if 0.5 < fate < 0.6:
        fields[rng.choice(["new", "id ", "", "\\u0000", "class"])] = rng.choice(ODD)
    items = list(fields.items())
    if 0.6 < fate < 0.65:
        items.append(rng.choice(items))
    text = b"{" + b", ".join(b'"%s": %s' % (key.encode(), value) for key, value in items) + b"}"
    return change_bytes(rng, text) if 0.65 < fate < 0.85 else text


def change_bytes(rng: random.Random, text: bytes) -> bytes:
    at = rng.randrange(len(text))
    match rng.randrange(4):
        case 0:
            return text[:at] + bytes([rng.randrange(256)]) + text[at + 1 :]
        case 1:
            return text[:at] + rng.choice(FRAGMENTS) + text[at:]
        case 2:
            return text[:at] + text[min(len(text), at + rng.randrange(1, 40)) :]
        case _:
            return text[: at + 1]


def make_page(body: bytes) -> Page:
    return Page(
        number=1,
        url="https://api.example.test/trips",
        status=200,
        content_type="application/json",
        fetched_at=NOW,
        sha256=hashlib.sha256(body).hexdigest(),
        body=body,
    )


if __name__ == "__main__":
    main()
