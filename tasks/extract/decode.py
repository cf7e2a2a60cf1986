"""Records out of pages, strictly typed: what does not fit is rejected with its path, one record at a time."""

import json
import logging
import re
from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from tasks.extract.columns import Columns
from tasks.extract.pages import Answer
from tasks.pipeline import Resource

_log = logging.getLogger(__name__)

_WHERE = re.compile(r"(?P<message>.*) - at `\$(?P<path>.*)`", re.DOTALL)
_HEAD_BYTES = 65_536


class Rejected(Struct, frozen=True):
    """A record that did not fit: page and index (from 0) where it stood, JSON path, reason, JSON text.

    The text is as the API sent it, invalid UTF-8 in hexadecimal; it need not be valid JSON.
    """

    page: int
    index: int
    path: str
    message: str
    record: str


class RecordDecoder:
    """Decodes the records of one resource.

    What msgspec lets pass is documented, not repaired: of duplicate keys the last counts, and a number in a
    float field rounds to the nearest double.
    """

    def __init__(self, resource: Resource) -> None:
        self.columns = Columns(resource.name, resource.record)
        self._resource = resource.name
        self._path = f"$.{resource.records}"
        self._all: msgspec.json.Decoder[list[Struct]] = msgspec.json.Decoder(list[self.columns.record])  # type: ignore[name-defined]
        self._one: msgspec.json.Decoder[Struct] = msgspec.json.Decoder(self.columns.record)
        self._cut: msgspec.json.Decoder[list[Raw]] = msgspec.json.Decoder(list[Raw])
        self._unknown: set[str] = set()

    def decode(self, answer: Answer) -> tuple[list[Struct], list[Rejected]]:
        """The records of a page in order, and those that do not fit."""
        self._watch_keys(answer.records)
        if isinstance(answer.records, Raw) and not self.columns.is_suspect(answer.page.body):
            try:
                return self._all.decode(answer.records), []
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                pass  # one by one, to find which
        return self._decode_each(answer)

    def report_unknown_keys(self) -> None:
        """Log the fields that the API sends and the declaration does not name, if there are any."""
        if self._unknown:
            _log.warning(
                "%s: the API sends fields that are not declared, and they are left out: %s.",
                self._resource,
                ", ".join(sorted(self._unknown)),
            )

    def _decode_each(self, answer: Answer) -> tuple[list[Struct], list[Rejected]]:
        rows: list[Struct] = []
        rejected: list[Rejected] = []
        for index, record in enumerate(_cut_apart(answer.records, self._cut)):
            decoded = self._decode_one(record)
            if isinstance(decoded, Struct):
                rows.append(decoded)
            else:
                path, message = decoded
                text = record.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
                place = f"{self._path}[{index}]{path}"
                rejected.append(Rejected(answer.page.number, index, place, message, text))
        return rows, rejected

    def _decode_one(self, record: bytes) -> Struct | tuple[str, str]:
        """The record, or the path within it and the reason why it is none."""
        try:
            row = self._one.decode(record)
        except msgspec.ValidationError as exc:
            where = _WHERE.fullmatch(str(exc))
            return (where["path"], where["message"]) if where else ("", str(exc))
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            return "", f"Not valid JSON: {exc}"
        except RecursionError:
            return "", "Nested too deeply to be read"
        unstorable = self.columns.find_unstorable(row)
        return (f".{unstorable[0]}", unstorable[1]) if unstorable else row

    def _watch_keys(self, records: Raw | list[bytes]) -> None:
        self._unknown |= _keys_of_first(records) - self.columns.keys


def _cut_apart(records: Raw | list[bytes], decoder: msgspec.json.Decoder[list[Raw]]) -> Iterator[bytes]:
    return map(bytes, decoder.decode(records) if isinstance(records, Raw) else records)


def _keys_of_first(records: Raw | list[bytes]) -> set[str]:
    """Keys of the first record of a page; none when it is longer than 64 KB or no object."""
    head = bytes(memoryview(records)[1:_HEAD_BYTES]) if isinstance(records, Raw) else b"".join(records[:1])
    text = head.decode("utf-8", "replace").lstrip()
    if not text.startswith("{"):
        return set()
    try:
        return set(json.JSONDecoder().raw_decode(text)[0])
    except (ValueError, RecursionError):
        return set()
