"""One frame under validation, with everything that has been computed about it."""

from __future__ import annotations

from typing import Any

import polars as pl
from great_expectations.core.batch import BatchData
from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine

from expectations.engine.collecting import Engine, Failure
from expectations.engine.columns import Columns, Frame
from expectations.engine.domain import RowTest


class PolarsBatchData(BatchData):
    """A frame and its metrics. They live and die together, so a new frame never meets an old number.

    Attributes:
        frame: as it was given.
        columns: its columns, NaN as null.
        resolved: value or `Failure` by metric id.
        counts: number of unexpected rows by test, or the `Failure` to count them.
        pandas: engines of GX's own on single columns, for what has no Polars version.
    """

    def __init__(self, execution_engine: ExecutionEngine[Any], frame: Frame) -> None:
        super().__init__(execution_engine)
        self.frame = frame
        self.lazy: pl.LazyFrame = frame.lazy()
        self.columns = Columns.of(frame)
        self.resolved: dict[Any, Any] = {}
        self.counts: dict[RowTest, int | Failure] = {}
        self.pandas: dict[Any, PandasExecutionEngine] = {}

    @property
    def dataframe(self) -> Frame:
        """The frame, under the name that GX's other batch data have for it."""
        return self.frame

    @property
    def collect_engine(self) -> Engine:
        """Stream what is not in memory yet; what is there already is faster at once."""
        return "streaming" if isinstance(self.frame, pl.LazyFrame) else "in-memory"
