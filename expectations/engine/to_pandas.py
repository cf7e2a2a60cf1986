"""Polars to pandas without Arrow, for the few places where GX wants pandas."""

from __future__ import annotations

from typing import Any

import pandas as pd  # type: ignore[import-untyped]  # ships no types
import polars as pl


def to_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """Convert a frame; nulls become what pandas has for them (integers with nulls become floats)."""
    return pd.DataFrame({series.name: to_pandas_series(series) for series in frame.get_columns()})


def to_pandas_series(series: pl.Series) -> Any:
    """Convert a column."""
    dtype = series.dtype
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        # By way of UTC: the hour that a clock shows twice is two moments.
        moments = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None).to_numpy()
        return pd.Series(moments).dt.tz_localize("UTC").dt.tz_convert(dtype.time_zone)
    if dtype in {pl.Int128, pl.UInt128}:
        return pd.Series(series.to_list(), dtype=object)  # NumPy has none of 128 bits
    if dtype.is_integer() and series.has_nulls():
        # Of 8 and 16 bits NumPy makes 32-bit floats, whose mean is rounded.
        return pd.Series(series.cast(pl.Float64).to_numpy())
    if dtype.is_numeric() and not dtype.is_decimal():
        return pd.Series(series.to_numpy())
    if isinstance(dtype, (pl.Datetime, pl.Duration)) or dtype == pl.Date:
        return pd.Series(series.to_numpy())
    return pd.Series(series.to_list())
