"""Learn a schema from records: for every field a kind that all its values have."""

import datetime as dt
import decimal
import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw

from tasks.extract.decoding.exact import FINE_TIME, fits_decimal, may_round, rounds
from tasks.extract.decoding.problems import BROKEN
from tasks.schema import UNKNOWN, Kind, KindName

MAX_FIELDS = 1_000
"""An object with more keys than this has data for keys, and is kept as JSON text."""
FRACTION_DIGITS = 12
DIGITS = 38

_WIDE = 10.0 ** (DIGITS - FRACTION_DIGITS)
_EXACT_IN_FLOAT, _INT64 = 2**53, 2**63
_INTEGERS = {"int53", "int64"}
_FLOATS = {"float", "wide float"}
"""Wide is what no numeric of ours holds: 1e30, 1e-13."""
_NUMBERS = {*_INTEGERS, *_FLOATS, "integer", "decimal"}
_UNNAMEABLE = re.compile(r'["\\\x00-\x1f\ud800-\udfff]')
"""No field of a decoder can have such a name: within a record an object with it is kept as JSON text."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d.*", re.ASCII)
_TIMES: dict[KindName, Any] = {
    "time": list[Annotated[dt.datetime, Meta(tz=True)]],
    "local time": list[Annotated[dt.datetime, Meta(tz=False)]],
}
_PLAIN = msgspec.json.Decoder()
_EXACT = msgspec.json.Decoder(float_hook=decimal.Decimal)
_RECORDS = msgspec.json.Decoder(list[Raw])


class Evidence:
    """What the values of one field were, over any number of pages: as large as the schema, however many."""

    def __init__(self) -> None:
        self._met: set[str] = set()
        self._item: Evidence | None = None
        self._fields: dict[str, Evidence] = {}

    def observe_records(self, records: Raw | list[bytes]) -> None:
        """Look at the records of a page; what is no JSON object is for the decoder to reject."""
        self.observe([each for each in _read(records) if isinstance(each, dict)])

    def observe(self, values: Sequence[Any]) -> None:
        """Look at some values of the field."""
        for kind in set(map(type, values)) - {type(None)}:
            self._observe_kind(kind, [value for value in values if type(value) is kind])

    def beyond(self, known: Kind) -> Kind:
        """What was met that `known` does not have: new fields, at any depth, and kinds that were unknown.

        A field that is known keeps its kind, whatever else was met. `unknown` when there is nothing new.
        """
        if known.type == "unknown":
            return self.conclude()
        if known.type == "list" and self._item:
            item = self._item.beyond(known.item or UNKNOWN)
            return UNKNOWN if item == UNKNOWN else Kind("list", item=item)
        if known.type != "object":
            return UNKNOWN
        new = {key: evidence.beyond(known.fields.get(key, UNKNOWN)) for key, evidence in self._named()}
        fields = {key: kind for key, kind in new.items() if key not in known.fields or kind != UNKNOWN}
        return Kind("object", fields=fields) if fields else UNKNOWN

    def conclude(self) -> Kind:
        """The narrowest kind that holds every value; text and JSON hold what nothing else does."""
        met = self._met
        if not met:
            return UNKNOWN
        if met == {"object"}:
            return self._conclude_object()
        if met == {"list"}:
            return Kind("list", item=self._item.conclude()) if self._item else UNKNOWN
        if met <= _NUMBERS:
            return self._conclude_number()
        if met <= {"text", *_TIMES, "date"}:
            return Kind(next(iter(met)) if len(met) == 1 else "text")  # type: ignore[arg-type]  # its own names
        return Kind("boolean" if met == {"boolean"} else "json")

    def _named(self) -> Iterable[tuple[str, "Evidence"]]:
        return ((key, each) for key, each in self._fields.items() if not _UNNAMEABLE.search(key))

    def _conclude_object(self) -> Kind:
        named = dict(self._named())
        if len(self._fields) > MAX_FIELDS or len(named) < len(self._fields):
            return Kind("json")
        fields = {key: evidence.conclude() for key, evidence in named.items()}
        return Kind("object", fields=fields) if fields else UNKNOWN

    def _conclude_number(self) -> Kind:
        if self._met <= _INTEGERS:
            return Kind("integer")
        if self._met <= {"int53", *_FLOATS}:
            return Kind("float")
        if "wide float" in self._met:
            return Kind("json")
        is_whole = self._met <= {*_INTEGERS, "integer"}
        return Kind("numeric", scale=0 if is_whole else FRACTION_DIGITS)

    def _observe_kind(self, kind: type, values: Sequence[Any]) -> None:
        if kind is bool:
            self._met.add("boolean")
        elif kind is int:
            self._met |= {_measure_integer(min(values)), _measure_integer(max(values))}
        elif kind is float:
            self._met.add("float")
            if "wide float" not in self._met and not all(map(_fits_numeric, values)):
                self._met.add("wide float")
        elif kind is decimal.Decimal:
            self._met |= set(map(_measure_decimal, values))
        elif kind is str:
            if "text" not in self._met:
                self._met.add(_form_of(values))
        elif kind is list:
            self._met.add("list")
            if items := list(itertools.chain.from_iterable(values)):
                self._item = self._item or Evidence()
                self._item.observe(items)
        else:
            self._met.add("object")
            self._observe_objects(values)

    def _observe_objects(self, values: Sequence[dict[str, Any]]) -> None:
        if len(self._fields) > MAX_FIELDS:
            return
        shapes = set(map(tuple, values))
        if len(shapes) == 1:
            (keys,) = shapes
            columns: Iterable[tuple[str, Sequence[Any]]] = zip(
                keys, zip(*map(dict.values, values), strict=True), strict=True
            )
        else:
            keys = tuple(dict.fromkeys(itertools.chain.from_iterable(shapes_in_order(values))))
            columns = ((key, [value[key] for value in values if key in value]) for key in keys)
        for key, column in columns:
            self._fields.setdefault(key, Evidence()).observe(column)


def shapes_in_order(values: Iterable[dict[str, Any]]) -> Iterable[tuple[str, ...]]:
    """The different orders of keys, as they come."""
    return dict.fromkeys(map(tuple, values))


def _read(records: Raw | list[bytes]) -> list[Any]:
    text = bytes(records) if isinstance(records, Raw) else b",".join(records)
    # As decimals only where a double may round: every number then costs a call.
    decoder = _EXACT if may_round(text) else _PLAIN
    if isinstance(records, Raw):
        try:
            return list(decoder.decode(records))
        except BROKEN:
            records = [bytes(each) for each in _RECORDS.decode(records)]
    return [value for each in records if (value := _read_one(each, decoder)) is not None]


def _read_one(record: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    try:
        return decoder.decode(record)
    except BROKEN:
        return None


def _measure_integer(number: int) -> str:
    if abs(number) <= _EXACT_IN_FLOAT:
        return "int53"
    if -_INT64 <= number < _INT64:
        return "int64"
    return "integer" if abs(number) < 10**DIGITS else "huge"


def _measure_decimal(number: decimal.Decimal) -> str:
    """A number with a fraction: one that a double holds, one that a numeric holds, or neither."""
    fits = fits_decimal(number, DIGITS - FRACTION_DIGITS, FRACTION_DIGITS)
    if not rounds(str(number)):
        return "float" if fits else "wide float"
    return "decimal" if fits else "huge"


def _fits_numeric(number: float) -> bool:
    return abs(number) < _WIDE and float(f"{number:.{FRACTION_DIGITS}f}") == number


def _form_of(values: Sequence[str]) -> KindName:
    """The form of time that all of these texts have, or text."""
    if _DATE.fullmatch(values[0]):
        return "date" if _convert(values, list[dt.date]) else "text"
    if not _TIME.fullmatch(values[0]) or FINE_TIME.search("\n".join(values).encode("utf-8", "replace")):
        return "text"
    return next((form for form, kind in _TIMES.items() if _convert(values, kind)), "text")


def _convert(values: Sequence[str], kind: Any) -> bool:
    try:
        msgspec.convert(values, kind)
    except msgspec.ValidationError:
        return False
    return True
