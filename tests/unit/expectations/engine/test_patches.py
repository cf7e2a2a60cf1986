"""What the engine changes in GX holds for this engine alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.row_conditions import Column

from expectations.engine import validate_frame
from expectations.engine.patches import apply_patches
from tests.unit.expectations.engine.frames import gxe
from tests.unit.expectations.engine.oracle import validate_on_pandas

FRAME = pl.DataFrame({"a": [1, 2, 3], "b": [1, 0, 0]})
PAIRS = gxe.ExpectColumnPairValuesToBeInSet(
    column_A="a", column_B="b", value_pairs_set=[(1, 1)], row_condition=Column("a") > 1
)
QUANTILES = gxe.ExpectColumnQuantileValuesToBeBetween(
    column="a", quantile_ranges={"quantiles": [0.5], "value_ranges": [[1, 3]]}
)


def validate(expectation: Any) -> Any:
    suite = ExpectationSuite(name="suite", expectations=[expectation])
    return validate_frame(FRAME, suite, result_format="COMPLETE").results[0]


def test_pairs_obey_their_row_condition_on_polars_alone() -> None:
    assert validate(PAIRS).result["unexpected_index_list"] == [1, 2]
    assert validate(PAIRS).result["unexpected_percent"] == 100.0
    every_row = gxe.ExpectColumnPairValuesToBeInSet(column_A="a", column_B="b", value_pairs_set=[(2, 0)])
    outside = every_row.copy(update={"row_condition": Column("a") == 2})
    assert validate(outside).success
    assert not validate_on_pandas(FRAME, outside, "COMPLETE").success  # as GX has it


def test_quantiles_have_plain_booleans_on_polars_alone() -> None:
    assert type(validate(QUANTILES).success) is bool
    assert isinstance(validate_on_pandas(FRAME, QUANTILES, "COMPLETE").success, np.bool_)  # as GX has it


def test_applied_twice_each_stands_once() -> None:
    apply_patches()
    method = type(PAIRS).get_validation_dependencies
    assert not hasattr(method.stands_before, "stands_before")
