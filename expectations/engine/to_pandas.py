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
        naive = pd.Series(series.dt.replace_time_zone(None).to_numpy())
        return naive.dt.tz_localize(dtype.time_zone, ambiguous="NaT", nonexistent="NaT")
    if dtype.is_numeric() and not dtype.is_decimal():
        return pd.Series(series.to_numpy())
    if isinstance(dtype, (pl.Datetime, pl.Duration)) or dtype == pl.Date:
        return pd.Series(series.to_numpy())
    return pd.Series(series.to_list())
