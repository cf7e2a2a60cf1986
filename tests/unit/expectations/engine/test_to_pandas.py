"""Columns as pandas has them."""

import polars as pl
import pytest

from expectations.engine.to_pandas import to_pandas_series


@pytest.mark.parametrize("dtype", [pl.Int8, pl.Int16, pl.UInt8, pl.UInt16, pl.Int32, pl.Int64])
def test_integers_with_nulls_become_floats_that_do_not_round_their_mean(dtype: type[pl.DataType]) -> None:
    column = pl.Series([126, None, 127, 1], dtype=dtype)
    assert to_pandas_series(column).mean() == column.mean()
