"""Dates and moments as text, in all the years that Postgres knows.

Polars prints the year 1 BC as 0000, and panics beyond the year 262,142; Postgres writes eras and goes on to
5,874,897. Such values are rare, so that they are written one by one.
"""

import polars as pl

FIRST_DAY, LAST_DAY = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31, in days since 1970."""
DAY_US = 86_400_000_000
DAY_IN = {"ms": 86_400_000, "us": DAY_US, "ns": 86_400_000_000_000}


def as_dates(series: pl.Series) -> pl.Series:
    """Dates as `2024-01-31` or `0044-03-15 BC`."""
    if has_common_years(series):
        return series.dt.to_string("%Y-%m-%d")
    texts = [None if day is None else _write(day, "") for day in series.to_physical()]
    return pl.Series(series.name, texts, pl.String)


def as_moments(series: pl.Series) -> pl.Series:
    """Moments as `2024-01-31T12:00:00.000000`, with a `Z` when they have a zone."""
    assert isinstance(series.dtype, pl.Datetime)
    unit, zone = series.dtype.time_unit, "Z" if series.dtype.time_zone else ""
    series = series.dt.convert_time_zone("UTC") if zone else series
    if has_common_years(series):
        return series.dt.to_string(f"%Y-%m-%dT%H:%M:%S%.{9 if unit == 'ns' else 6}f{zone}")
    factor = DAY_US // DAY_IN[unit]
    moments = series.to_physical()
    texts = [None if each is None else _write_moment(each * factor, zone) for each in moments]
    return pl.Series(series.name, texts, pl.String)


def has_common_years(series: pl.Series) -> bool:
    """Whether all dates or moments are of the years 1 to 9999, which everybody writes alike."""
    day = DAY_IN[series.dtype.time_unit] if isinstance(series.dtype, pl.Datetime) else 1
    numbers = series.to_physical()
    least, greatest = numbers.min(), numbers.max()
    if not (isinstance(least, int) and isinstance(greatest, int)):
        return True
    return FIRST_DAY * day <= least and greatest < (LAST_DAY + 1) * day


def _write_moment(micros: int, zone: str) -> str:
    day, rest = divmod(micros, DAY_US)
    seconds, fraction = divmod(rest, 1_000_000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:06}"
    return _write(day, f"T{clock}{zone}")


def _write(day: int, clock: str) -> str:
    """By the civil calendar: https://howardhinnant.github.io/date_algorithms.html#civil_from_days."""
    era, of_era = divmod(day + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year += era * 400 + (month <= 2)
    date = f"{year if year > 0 else 1 - year:04}-{month:02}-{of_year - (153 * shifted + 2) // 5 + 1:02}"
    return f"{date}{clock}{'' if year > 0 else ' BC'}"
