"""A Great Expectations engine that computes on Polars. Importing it loads GX (1.5 s)."""

from __future__ import annotations

from expectations.engine import gx_import  # noqa: F401  (first of all)
from expectations.engine.assets import PolarsDataFrameAsset
from expectations.engine.datasource import PolarsDatasource
from expectations.engine.errors import (
    AssetError,
    NotRowLevelError,
    QueryError,
    RowConditionError,
    SuiteFileError,
)
from expectations.engine.execution_engine import PolarsExecutionEngine
from expectations.engine.extending import (
    column_aggregate,
    column_condition,
    column_pair_condition,
    multicolumn_condition,
)
from expectations.engine.frames import validate_frame
from expectations.engine.patches import apply_patches
from expectations.engine.planning import apply_planning
from expectations.engine.suites import load_suite
from expectations.engine.verdicts import is_row_level, unexpected_rows_expr

__all__ = [
    "AssetError",
    "NotRowLevelError",
    "PolarsDataFrameAsset",
    "PolarsDatasource",
    "PolarsExecutionEngine",
    "QueryError",
    "RowConditionError",
    "SuiteFileError",
    "column_aggregate",
    "column_condition",
    "column_pair_condition",
    "is_row_level",
    "load_suite",
    "multicolumn_condition",
    "unexpected_rows_expr",
    "validate_frame",
]

apply_patches()
apply_planning()
