"""What GX reports about a row test: how many rows are unexpected, and which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import polars as pl
from great_expectations.constants import MAX_RESULT_RECORDS

from expectations.engine.collecting import Deferred, Examples
from expectations.engine.domain import RowTest
from expectations.engine.literals import with_offset
from expectations.engine.metrics.registering import Call, Metric, is_registered, metric
from expectations.engine.metrics.row_tests import ROW_TESTS, Builder
from expectations.engine.to_pandas import to_pandas

_INDEX = "index of the row"


def declare_row_test_metrics() -> None:
    """Declare, for every row test, its condition and the metrics that GX reads of it."""
    for name, build in ROW_TESTS.items():
        metric(f"{name}.condition")(_condition(build))
        declare_reports(name)
    # Lengths are part of their condition here; the name is only a step on GX's way there.
    metric("column_values.value_length.map")(lambda _: None)


def declare_row_test(name: str, suffixes: Iterable[str]) -> None:
    """Declare the condition of one row test, and these of the metrics that GX reads of it."""
    metric(f"{name}.condition")(_condition(ROW_TESTS[name]))
    for suffix in suffixes:
        if suffix in _REPORTS:
            metric(f"{name}.{suffix}")(_REPORTS[suffix])


def declare_reports(name: str) -> None:
    """Declare what GX reads of a condition, as far as it knows a metric for that."""
    for suffix, function in _REPORTS.items():
        if is_registered(f"{name}.{suffix}"):
            metric(f"{name}.{suffix}")(function)


def _condition(build: Builder) -> Metric:
    def test(call: Call) -> RowTest:
        values = {key: value for key, value in call.values.items() if key != "result_format"}
        return build(call.domain, values)

    return test


def _test(call: Call) -> RowTest:
    test: RowTest = call.metrics["unexpected_condition"]
    return test


def count_rows(call: Call) -> Deferred:
    """Count unexpected rows."""
    test = _test(call)
    return Deferred(test.unexpected.sum(), int, counts=test)


def _filtered_row_count(call: Call) -> Deferred:
    return Deferred(_test(call).domain.count())


def _result_format(call: Call) -> Mapping[str, Any]:
    result_format: Mapping[str, Any] = call.values["result_format"]
    return result_format


def _is_complete(call: Call) -> bool:
    return bool(_result_format(call)["result_format"] == "COMPLETE")


def _limit(call: Call) -> int:
    if _is_complete(call):
        return MAX_RESULT_RECORDS
    return min(int(_result_format(call)["partial_unexpected_count"]), MAX_RESULT_RECORDS)


def _first(call: Call, expr: pl.Expr, limit: int | None, finish: Callable[[Any], Any]) -> Examples:
    """The first unexpected rows of an expression, in the order of the frame."""
    test = _test(call)
    found = expr.filter(call.batch.unexpected(test))
    return Examples((found if limit is None else found.head(limit)).implode(), finish, test=test)


def _values(call: Call) -> Examples:
    domain = _test(call).domain
    if len(domain.targets) == 1 and "column_list" not in call.domain_kwargs:
        # GX counts them as Python compares them.
        return _first(
            call,
            domain.columns.shown(domain.targets[0]),
            _limit(call),
            lambda found: list(map(with_offset, found.to_list())),
        )
    records = domain.columns.shown_struct(domain.targets)
    if call.domain_kwargs.get("column_A") is not None:
        left, right = domain.targets
        return _first(
            call, records, _limit(call), lambda found: [(row[left], row[right]) for row in _told_apart(found)]
        )
    return _first(call, records, _limit(call), _told_apart)


def _told_apart(records: pl.Series) -> list[dict[str, Any]]:
    """Records in which no two moments are one to Python."""
    return [{name: with_offset(value) for name, value in row.items()} for row in records]


def _value_counts(call: Call) -> Examples:
    def count(found: pl.Series) -> list[tuple[Any, int]]:
        return [(value, n) for value, n in found.value_counts(sort=True).iter_rows()]

    return _first(call, _test(call).domain.values, None, count)


def _rows(call: Call) -> Examples:
    """Whole rows, as the pandas frame that GX's result wants; its index is the position in the frame."""
    columns = call.batch.columns
    positions = pl.int_range(pl.len()).alias(_INDEX)
    rows = pl.struct(positions, columns.shown_struct(columns.names).alias("row"))

    def as_frame(found: pl.Series) -> Any:
        table = to_pandas(found.struct.field("row").struct.unnest())
        table.index = found.struct.field(_INDEX).to_list()
        return table

    nothing = to_pandas(pl.DataFrame(schema=columns.schema))
    examples = _first(call, rows, _limit(call), as_frame)
    return Examples(examples.expr, examples.finish, test=examples.test, nothing=nothing)


def _index_list(call: Call) -> Examples:
    """Positions of the unexpected rows, or their keys where `unexpected_index_column_names` names some."""
    result_format = _result_format(call)
    limit = None if _is_complete(call) else int(result_format["partial_unexpected_count"])
    keys = result_format.get("unexpected_index_column_names")
    if not keys:
        return _first(call, pl.int_range(pl.len()), limit, lambda found: found.to_list())
    names = [keys] if isinstance(keys, str) else list(keys)
    _check_keys(call, names)
    columns = call.batch.columns
    if result_format.get("exclude_unexpected_values"):
        return _first(
            call,
            columns.shown_struct(names),
            limit,
            lambda found: [found.struct.unnest().to_dict(as_series=False)],
        )
    wanted = list(dict.fromkeys([*_test(call).domain.targets, *names]))
    return _first(call, columns.shown_struct(wanted), limit, lambda found: found.to_list())


def _check_keys(call: Call, names: list[str]) -> None:
    for name in names:
        if name not in call.batch.columns:
            raise ValueError(
                f'Error: The unexpected_index_column "{name}" does not exist in Dataframe. '
                "Please check your configuration and try again."
            )


def _index_query(call: Call) -> Examples | None:
    """Code that picks the rows out of the frame: their positions, however many, as in GX on pandas."""
    result_format = _result_format(call)
    wanted = result_format.get("return_unexpected_index_query")
    if wanted is False or not (wanted or _is_complete(call)):
        return None
    found = _first(call, pl.int_range(pl.len()), None, lambda positions: f"df[{positions.to_list()}]")
    return replace(found, nothing="df[[]]")


_REPORTS: dict[str, Metric] = {
    "unexpected_count": count_rows,
    "filtered_row_count": _filtered_row_count,
    "unexpected_values": _values,
    "unexpected_value_counts": _value_counts,
    "unexpected_rows": _rows,
    "unexpected_index_list": _index_list,
    "unexpected_index_query": _index_query,
}
