"""An expectation that two engines answer differently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from great_expectations.expectations.expectation import Expectation

from expectations.engine.columns import Columns
from expectations.engine.domain import target_columns
from expectations.engine.row_conditions import parse_row_condition


@dataclass(frozen=True)
class Asked:
    """An expectation about the rows of a frame."""

    frame: pl.DataFrame
    expectation: Expectation

    @property
    def name(self) -> str:
        return str(self.expectation.expectation_type)

    @property
    def kwargs(self) -> dict[str, Any]:
        return dict(self.expectation.configuration.kwargs)

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(name for name in target_columns(self.kwargs) if name in self.frame.columns)

    def is_about(self, *words: str) -> bool:
        """Whether the expectation's name has one of these words."""
        return any(word in self.name for word in words)

    def dtypes(self) -> list[pl.DataType]:
        return [self.frame.schema[name] for name in self.targets]

    def rows(self) -> pl.Series:
        """True for the rows that the expectation is about."""
        rows = parse_row_condition(self.kwargs.get("row_condition"), Columns.of(self.frame))
        every = pl.repeat(value=True, n=pl.len(), dtype=pl.Boolean)
        return self.frame.select((every if rows is None else rows).alias("rows")).to_series()

    def fewest_values(self) -> int:
        """How many values are in these rows, of the target column that has the fewest."""
        frame = self.frame.filter(self.rows())
        present = [
            frame[name].fill_nan(None) if frame.schema[name].is_float() else frame[name]
            for name in self.targets
        ]
        return min((values.drop_nulls().len() for values in present), default=frame.height)

    def has_infinities(self) -> bool:
        return any(
            self.frame.schema[name].is_float() and self.frame[name].is_infinite().any()
            for name in self.targets
        )


@dataclass(frozen=True)
class Difference(Asked):
    """What two engines answer differently."""

    ours: Any
    theirs: Any
