"""Values of every Polars type as text, without loss: as Postgres reads them, and as JSON.

A series goes in, a series of text comes out; what is null stays null.
"""

from collections.abc import Callable, Mapping

import msgspec
import polars as pl

from tasks.eras import as_dates, as_moments
from tasks.errors import ConfigurationError

Writer = Callable[[pl.Series], pl.Series]

_CONTROL = {chr(code): f"\\u{code:04x}" for code in range(32)}
_ESCAPES = {"\\": "\\\\", '"': '\\"'} | _CONTROL
_BEYOND_JSON = {"NaN": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"'}
"""Numbers that JSON does not have, as the words that Postgres reads as numbers again."""


def as_text(series: pl.Series) -> pl.Series:
    """Values as Postgres reads them for a column of their own type.

    Times with a zone are in UTC, durations in hours, minutes and seconds, binary in hexadecimal.

    Raises:
        ConfigurationError: A time of day is not a whole number of microseconds.
    """
    write = _WRITERS.get(type(series.dtype))
    return write(series) if write else series.cast(pl.String)


def as_json(series: pl.Series) -> pl.Series:
    """Values as JSON: numbers with all their digits, NaN and infinities as strings, the rest as `as_text`.

    Raises:
        ConfigurationError: See `as_text`.
    """
    match series.dtype:
        case pl.Struct():
            return _as_objects(series)
        case pl.List() | pl.Array():
            return _bracket("[", join_items(series, as_json, null="null"), "]")
        case dtype if dtype.is_float():
            return as_text(series).replace(_BEYOND_JSON)
        case dtype if dtype.is_numeric() or dtype == pl.Boolean:
            return series.cast(pl.String)
        case pl.Null():
            return series.cast(pl.String)
    return quote(as_text(series), _ESCAPES)


def quote(texts: pl.Series, escapes: Mapping[str, str]) -> pl.Series:
    """Texts in double quotes."""
    return _bracket('"', texts.str.replace_many(dict(escapes)), '"')


def join_items(series: pl.Series, write: Writer, *, null: str) -> pl.Series:
    """The items of each list, written and joined by commas; null where there is no list."""
    lists = series.cast(pl.List(series.dtype.inner)) if isinstance(series.dtype, pl.Array) else series
    lengths = lists.list.len().fill_null(0)
    rows = pl.int_range(len(lists), eager=True)
    items = pl.DataFrame(
        [
            rows.repeat_by(lengths).filter(lengths > 0).explode().alias("row"),
            write(lists.filter(lengths > 0).explode()).fill_null(null).alias("items"),
        ]
    )
    joined = items.group_by("row", maintain_order=True).agg(pl.col("items").str.join(","))
    texts = rows.to_frame("row").join(joined, on="row", how="left", maintain_order="left").get_column("items")
    return _or_null(texts.fill_null(""), lists)


def _as_objects(series: pl.Series) -> pl.Series:
    parts: list[str | pl.Series] = []
    for field in series.struct.fields:
        name = msgspec.json.encode(field).decode()
        parts += ["," if parts else "", f"{name}:", as_json(series.struct.field(field)).fill_null("null")]
    return _join(series, ["{", *parts, "}"])


def _as_intervals(series: pl.Series) -> pl.Series:
    micros = series.cast(pl.Duration("us"))
    if beyond := (micros.cast(series.dtype) != series).sum():
        raise ConfigurationError(
            f"Column {series.name!r} is a duration, {beyond} of {len(series)} values are finer than "
            "microseconds, or beyond the 292,271 years that can be counted in them. Cast it in the "
            'transform, for example by .dt.cast_time_unit("us").'
        )
    micros = micros.to_physical()
    # The magnitude of the least integer of 64 bits has a place among the unsigned ones.
    magnitude = micros.abs().reinterpret(signed=False)
    sign = pl.Series(["-"]).new_from_index(0, len(series)).set(micros >= 0, "").fill_null("")
    return _join(series, [sign, *_clock(magnitude)])


def _as_hexadecimal(series: pl.Series) -> pl.Series:
    return _join(series, ["\\x", series.bin.encode("hex")])


def _as_clock(series: pl.Series) -> pl.Series:
    nanos = series.to_physical()
    if finer := (nanos % 1000 != 0).sum():
        raise ConfigurationError(
            f"Column {series.name!r} is a time of day, {finer} of {len(series)} values are finer than the "
            f"microseconds that Postgres keeps. Cut them in the transform: "
            f'(pl.col("{series.name}").cast(pl.Int64) // 1000 * 1000).cast(pl.Time).'
        )
    return _join(series, _clock(nanos // 1000))


def _clock(micros: pl.Series) -> list[str | pl.Series]:
    """Hours, minutes, seconds and microseconds, with what stands between."""

    def digits(number: pl.Series, length: int) -> pl.Series:
        return number.cast(pl.Int64).cast(pl.String).str.zfill(length)

    return [
        digits(micros // 3_600_000_000, 2),
        ":",
        digits(micros // 60_000_000 % 60, 2),
        ":",
        digits(micros // 1_000_000 % 60, 2),
        ".",
        digits(micros % 1_000_000, 6),
    ]


def _bracket(opening: str, texts: pl.Series, closing: str) -> pl.Series:
    return _join(texts, [opening, texts, closing])


def _join(present: pl.Series, parts: list[str | pl.Series]) -> pl.Series:
    """Parts side by side, where there is a value."""
    columns = [pl.lit(part, dtype=pl.String) if isinstance(part, str) else pl.lit(part) for part in parts]
    joined = pl.select(pl.concat_str(columns, ignore_nulls=True)).to_series()
    if joined.len() != len(present):  # constants alone
        joined = joined.new_from_index(0, len(present))
    return _or_null(joined, present)


def _or_null(texts: pl.Series, present: pl.Series) -> pl.Series:
    return texts.set(present.is_null(), None).alias(present.name)


_WRITERS: Mapping[type[pl.DataType], Writer] = {
    pl.Date: as_dates,
    pl.Datetime: as_moments,
    pl.Duration: _as_intervals,
    pl.Time: _as_clock,
    pl.Binary: _as_hexadecimal,
    pl.Float16: lambda series: series.cast(pl.Float32).cast(pl.String),
}
