"""The conditions on single rows that the engine knows, by the name of GX's map metric.

Each is a function of its `Domain` and arguments and returns what holds where a row *meets* the expectation.
A row is unexpected where that is not true. Null is not true; but a null in the tested column is not tested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from expectations.engine.domain import Domain, RowTest

Builder = Callable[[Domain, Mapping[str, Any]], RowTest]
ROW_TESTS: dict[str, Builder] = {}

Condition = Callable[..., pl.Expr]


def row_test(name: str, *, tests_nulls: bool = False) -> Callable[[Condition], Condition]:
    """Declare a condition under the name of GX's map metric.

    Args:
        name: GX's `map_metric`.
        tests_nulls: whether a null in the column is tested too. Pairs and lists of columns have their own
            rule for nulls, `ignore_row_if`, which is in the domain already.
    """

    def declare(condition: Condition) -> Condition:
        def build(domain: Domain, values: Mapping[str, Any]) -> RowTest:
            tested = domain if tests_nulls or len(domain.targets) != 1 else domain.without_nulls()
            meets = condition(tested, **values)
            return RowTest(tested, tested.restrict(~meets.fill_null(value=False)))

        ROW_TESTS[name] = build
        return condition

    return declare


def uniqueness_test(name: str) -> None:
    """Declare that no two rows may share the values of the target columns; every copy is unexpected."""

    def build(domain: Domain, values: Mapping[str, Any]) -> RowTest:
        del values
        return _unique_value(domain) if name == "column_values.unique" else _unique_record(domain)

    ROW_TESTS[name] = build


def _unique_value(domain: Domain) -> RowTest:
    tested = domain.without_nulls()
    copies = tested.restrict(tested.masked().is_duplicated())
    return RowTest(tested, copies, tested.values)


def _unique_record(domain: Domain) -> RowTest:
    record = domain.columns.struct(domain.targets)
    if domain.rows is None:
        return RowTest(domain, record.is_duplicated(), record)
    # The mark keeps a record of the domain apart from the same record outside of it.
    marked = pl.struct(domain.rows.alias("in domain"), record.alias("record"))
    return RowTest(domain, domain.rows & marked.is_duplicated(), record)


uniqueness_test("column_values.unique")
uniqueness_test("compound_columns.unique")
