"""The columns of a frame, as every metric sees them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs
from great_expectations.exceptions.exceptions import InvalidMetricAccessorDomainKwargsKeyError

Frame = pl.DataFrame | pl.LazyFrame


def _is_pattern(name: str) -> bool:
    return "*" in name or (name.startswith("^") and name.endswith("$"))


@dataclass(frozen=True)
class Columns:
    """Column expressions of one schema, with NaN read as null, which is what GX on pandas means by null."""

    schema: pl.Schema

    @classmethod
    def of(cls, frame: Frame | pl.Schema) -> Columns:
        """Take the columns of a frame, or of a schema where there is no frame yet."""
        return cls(frame if isinstance(frame, pl.Schema) else frame.lazy().collect_schema())

    def __contains__(self, name: object) -> bool:
        return name in self.schema

    @property
    def names(self) -> list[str]:
        """Names in the order of the frame."""
        return list(self.schema)

    def dtype(self, name: str) -> pl.DataType:
        """Type of a column.

        Raises:
            InvalidMetricAccessorDomainKwargsKeyError: no such column, in GX's own words.
        """
        if name not in self.schema:
            raise InvalidMetricAccessorDomainKwargsKeyError(
                message=f'Error: The column "{name}" in BatchData does not exist.'
            )
        return self.schema[name]

    def expr(self, name: str) -> pl.Expr:
        """Read a column, NaN as null."""
        # pl.col reads "*" and "^...$" as patterns.
        column = cs.by_name(name).as_expr() if _is_pattern(name) else pl.col(name)
        return column.fill_nan(None) if self.dtype(name).is_float() else column

    def struct(self, names: Iterable[str]) -> pl.Expr:
        """Read several columns as one struct, in the order given."""
        return pl.struct([self.expr(name).alias(name) for name in dict.fromkeys(names)])

    def shown(self, name: str) -> pl.Expr:
        """Read a column for a report: GX cannot write a duration, so it becomes text."""
        values = self.expr(name)
        return values.dt.to_string() if isinstance(self.dtype(name), pl.Duration) else values

    def shown_struct(self, names: Iterable[str]) -> pl.Expr:
        """Read several columns for a report, as one struct."""
        return pl.struct([self.shown(name).alias(name) for name in dict.fromkeys(names)])
