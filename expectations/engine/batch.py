"""One frame under validation, with everything that has been computed about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from great_expectations.core.batch import BatchData
from great_expectations.exceptions.exceptions import ExecutionEngineError
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
        height: number of rows, or the `Failure` to count them; None where it has not been asked for.
        counts: number of unexpected rows by test, or the `Failure` to count them.
        verdicts: which rows are unexpected by test, where something cheaper than the test has been found.
        pandas: engines of GX's own on single columns, for what has no Polars version.
    """

    def __init__(self, execution_engine: ExecutionEngine[Any], frame: Frame) -> None:
        super().__init__(execution_engine)
        self.frame = frame
        self.lazy: pl.LazyFrame = frame.lazy()
        self.columns = Columns.of(frame)
        self.resolved: dict[Any, Any] = {}
        self.height: int | Failure | None = frame.height if isinstance(frame, pl.DataFrame) else None
        self.counts: dict[RowTest, int | Failure] = {}
        self.verdicts: dict[RowTest, pl.Expr] = {}
        self.pandas: dict[Any, PandasExecutionEngine] = {}

    @property
    def dataframe(self) -> Frame:
        """The frame, under the name that GX's other batch data have for it."""
        return self.frame

    @property
    def collect_engine(self) -> Engine:
        """Stream what is not in memory yet; what is there already is faster at once."""
        return "streaming" if isinstance(self.frame, pl.LazyFrame) else "in-memory"

    def run(self, plan: pl.LazyFrame) -> pl.DataFrame:
        """Collect a plan on the frame."""
        return plan.collect(engine=self.collect_engine)

    def unexpected(self, test: RowTest) -> pl.Expr:
        """Give what is True for the rows that a test does not expect."""
        return self.verdicts.get(test, test.unexpected)


def batch_of(engine: ExecutionEngine[Any], domain_kwargs: Mapping[str, Any]) -> PolarsBatchData:
    """The batch that a metric is about: the one it names, else the one loaded last.

    Raises:
        ExecutionEngineError: there is none of that name.
    """
    batch_id = domain_kwargs.get("batch_id") or engine.batch_manager.active_batch_data_id
    data = engine.batch_manager.batch_data_cache.get(str(batch_id))
    if not isinstance(data, PolarsBatchData):
        raise ExecutionEngineError(f"Unable to find batch with batch_id {batch_id}")
    return data
