"""Which rows a metric is about, and which of these an expectation does not expect.

GX filters the frame before it computes. Here the filter is part of the expression instead, so that metrics
about different rows are computed in one pass, and a row verdict lines up with the rows of the whole frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from expectations.engine.columns import Columns
from expectations.engine.row_conditions import parse_row_condition


@dataclass(frozen=True)
class Domain:
    """The target columns of a metric and the rows that it is about.

    Attributes:
        columns: the columns of the frame.
        targets: names of the columns that the metric reads; none for a metric of the table.
        rows: True for the rows the metric is about, never null; None for all.
    """

    columns: Columns
    targets: tuple[str, ...]
    rows: pl.Expr | None

    @classmethod
    def of(cls, kwargs: Mapping[str, Any], columns: Columns) -> Domain:
        """Read GX's domain kwargs: target columns, `row_condition`, `ignore_row_if`.

        Raises:
            ValueError: another table is asked about, of which a frame knows nothing.
        """
        if kwargs.get("table") is not None:
            raise ValueError(
                f"There is no table {kwargs['table']!r} beside a frame. "
                "Compare with another data source by ExpectQueryResultsToMatchComparison."
            )
        targets = target_columns(kwargs)
        for name in targets:
            columns.dtype(name)
        rows = parse_row_condition(kwargs.get("row_condition"), columns)
        return cls(columns, targets, _both(rows, _present_rows(kwargs, targets, columns)))

    @property
    def values(self) -> pl.Expr:
        """The first target column over the whole frame."""
        return self.columns.expr(self.targets[0])

    @property
    def dtype(self) -> pl.DataType:
        """Type of the first target column."""
        return self.columns.dtype(self.targets[0])

    @property
    def present(self) -> pl.Expr:
        """The first target column, only the rows of the domain, without nulls."""
        present = self.values.is_not_null()
        return self.values.filter(present if self.rows is None else self.rows & present)

    def without_nulls(self) -> Domain:
        """Leave out the rows in which the first target column is null."""
        return Domain(self.columns, self.targets, _both(self.rows, self.values.is_not_null()))

    def masked(self) -> pl.Expr:
        """The first target column, null outside of the domain; as long as the frame."""
        return self.values if self.rows is None else pl.when(self.rows).then(self.values)

    def masked_targets(self) -> list[pl.Expr]:
        """All target columns, null outside of the domain; as long as the frame."""
        columns = [self.columns.expr(name) for name in self.targets]
        return columns if self.rows is None else [pl.when(self.rows).then(column) for column in columns]

    def count(self) -> pl.Expr:
        """Number of rows of the domain."""
        return pl.len() if self.rows is None else self.rows.sum()

    def restrict(self, verdict: pl.Expr) -> pl.Expr:
        """Let a verdict hold only inside the domain."""
        return verdict if self.rows is None else self.rows & verdict


def everywhere(*, verdict: bool) -> pl.Expr:
    """The same verdict for every row: as long as the frame, which a literal is not."""
    return pl.repeat(verdict, pl.len(), dtype=pl.Boolean)


def _both(left: pl.Expr | None, right: pl.Expr | None) -> pl.Expr | None:
    if left is None or right is None:
        return right if left is None else left
    return left & right


def target_columns(kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the columns that GX's domain kwargs are about; none for the table."""
    if kwargs.get("column") is not None:
        return (kwargs["column"],)
    if kwargs.get("column_A") is not None:
        return (kwargs["column_A"], kwargs["column_B"])
    return tuple(kwargs.get("column_list") or ())


def _present_rows(kwargs: Mapping[str, Any], targets: tuple[str, ...], columns: Columns) -> pl.Expr | None:
    """Read `ignore_row_if`, which GX obeys for pairs and lists of columns only."""
    ignore = kwargs.get("ignore_row_if")
    if ignore is None or kwargs.get("column") is not None or ignore in {"neither", "never"}:
        return None
    present = [columns.expr(name).is_not_null() for name in targets]
    if ignore in {"both_values_are_missing", "all_values_are_missing"}:
        return pl.any_horizontal(present)
    if ignore in {"either_value_is_missing", "any_value_is_missing"}:
        return pl.all_horizontal(present)
    raise ValueError(f'Unrecognized value of ignore_row_if ("{ignore}").')


@dataclass(frozen=True, eq=False)
class RowTest:
    """A condition on single rows: the one source of counts, examples and row verdicts.

    Compared by identity, so that a count and its examples find each other.

    Attributes:
        domain: the rows that were tested.
        unexpected: as long as the frame, True where a row fails, never null, False outside of the domain.
        key: set for tests of uniqueness: what no two rows of the domain may share; as long as the frame.
    """

    domain: Domain
    unexpected: pl.Expr
    key: pl.Expr | None = None
