"""Records out of bodies that are lines: NDJSON and CSV."""

import csv
import io
import re
from collections.abc import Collection

import msgspec
from msgspec import Raw

from tasks.pipeline.records import CsvBody

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_TRUTH = {"true": True, "false": False}
_LIST = msgspec.json.Decoder(list[Raw])


def read_ndjson(body: bytes) -> Raw | list[bytes]:
    """A record a line; as slices when a line is not valid JSON, so that it is rejected and not the page.

    Raises:
        ValueError: It is HTML, or the last line breaks off.
    """
    _refuse_html(body, "lines of JSON")
    lines = [line for line in (line.strip() for line in body.split(b"\n")) if line]
    if lines and not body.endswith(b"\n") and not _is_json(lines[-1]):
        raise ValueError("the last line breaks off")
    return as_list(lines)


def as_list(records: list[bytes]) -> Raw | list[bytes]:
    """The records as one JSON list, which is decoded at once; as they are when one of them is not JSON."""
    joined = b"[" + b",".join(records) + b"]"
    try:
        return Raw(joined) if len(_LIST.decode(joined)) == len(records) else records
    except (msgspec.DecodeError, RecursionError):
        return records


def read_csv(body: bytes, form: CsvBody, numbers: Collection[str]) -> Raw | list[bytes]:
    """A record a row, as the JSON object of its cells; `numbers` are the fields that hold no text.

    A row with more or fewer cells than there are names becomes a JSON array, which fits no record.

    Raises:
        ValueError: It is HTML, it has no header, or the last row breaks off.
    """
    _refuse_html(body, "CSV")
    text = body.decode("utf-8-sig" if form.encoding == "utf-8" else form.encoding)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter, strict=True)
    try:
        header = next(rows, None)
        if not header:
            raise ValueError("there is no header row")
        table = [row for row in rows if row]
    except csv.Error as exc:
        raise ValueError(f"it is no CSV: {exc}") from exc
    if len(set(header)) < len(header):
        raise ValueError("a name stands twice in the header")
    if table and len(table[-1]) < len(header) and not text.endswith(("\n", "\r")):
        raise ValueError("the last row breaks off")
    typed = [name in numbers for name in header]
    empty = None if form.empty_is_null else ""
    records = [
        {
            name: _cell(cell, typed=of_field, empty=empty)
            for name, cell, of_field in zip(header, row, typed, strict=True)
        }
        if len(row) == len(header)
        else row
        for row in table
    ]
    return Raw(msgspec.json.encode(records))


def _cell(text: str, *, typed: bool, empty: str | None) -> Raw | str | bool | None:
    if not text:
        return None if typed else empty
    if typed:
        if _NUMBER.fullmatch(text):
            return Raw(text.encode())
        return _TRUTH.get(text.lower(), text)
    return text


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=Raw)
    except msgspec.DecodeError:
        return False
    return True


def _refuse_html(body: bytes, wanted: str) -> None:
    if body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise ValueError(f"it is HTML or XML, not {wanted}")
