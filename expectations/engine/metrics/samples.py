"""Lists of a column's values, which GX has for SQL alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from expectations.engine.collecting import Deferred
from expectations.engine.domain import RowTest
from expectations.engine.metrics.registering import Call, Metric, metric
from expectations.engine.metrics.row_tests import ROW_TESTS


@metric("column.sample_values")
def _sample(call: Call) -> Deferred:
    domain = call.domain
    values = domain.values if domain.rows is None else domain.values.filter(domain.rows)
    return Deferred(values.head(call.values["count"]).implode(), _as_list)


def _matching(rows: Callable[[RowTest], pl.Expr]) -> Metric:
    def read(call: Call) -> Deferred:
        test = ROW_TESTS["column_values.match_regex"](call.domain, {"regex": call.values["regex"]})
        values = test.domain.values.filter(rows(test))
        limit = call.values.get("limit")
        return Deferred((values if limit is None else values.head(limit)).implode(), _as_list)

    return read


def _as_list(values: pl.Series) -> list[Any]:
    return values.to_list()


metric("column_values.match_regex")(_matching(lambda test: test.domain.restrict(~test.unexpected)))
metric("column_values.not_match_regex_values")(_matching(lambda test: test.unexpected))
