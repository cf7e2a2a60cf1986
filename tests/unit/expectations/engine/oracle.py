"""GX's own pandas engine on the same data, and what "the same result" means."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # ships no types
import polars as pl
from great_expectations.core import ExpectationValidationResult
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import Expectation
from great_expectations.validator.validator import Validator

from expectations.engine.literals import show
from expectations.engine.preparing import prepare
from expectations.engine.to_pandas import to_pandas

# The query that finds the rows is text of each engine's own kind, and so is the name of a type.
_OWN_WORDS = frozenset({"unexpected_index_query"})
TYPE_EXPECTATIONS = frozenset(
    {
        "expect_column_values_to_be_of_type",
        "expect_column_values_to_be_in_type_list",
        "expect_column_type_to_be",
    }
)
_OF_TEXT = ("regex", "length", "strftime", "dateutil", "json")
_EXACT = 2**53  # beyond, floats have gaps


def as_pandas(frame: pl.DataFrame | pd.DataFrame, expectation: Expectation) -> pd.DataFrame:
    """The frame as pandas needs it to answer this expectation.

    Its own types, but for two that it has none for. Decimals are floats, as GX documents, and only for
    expectations about text or types as they are. Integers with nulls become floats, unless that would
    change them.
    """
    if isinstance(frame, pd.DataFrame):
        return frame
    of_text = any(word in expectation.expectation_type for word in _OF_TEXT)
    as_they_are = of_text or expectation.expectation_type in TYPE_EXPECTATIONS
    decimals = [] if as_they_are else [name for name, dtype in frame.schema.items() if dtype.is_decimal()]
    # Of dates pandas has whole seconds between them.
    has_spread = "stdev" in expectation.expectation_type
    dates = [pl.col(pl.Date).cast(pl.Datetime("us"))] if has_spread else []
    table = to_pandas(frame.with_columns(pl.col(decimals).cast(pl.Float64)).with_columns(dates))
    for name, dtype in frame.schema.items():
        if dtype.is_integer() and frame[name].null_count() and (of_text or _is_wide(frame[name])):
            table[name] = pd.Series(frame[name].to_list(), dtype=object)
    return table


def _is_wide(values: pl.Series) -> bool:
    return any(abs(value) > _EXACT for value in values.drop_nulls())


def validate_on_pandas(
    frame: pl.DataFrame | pd.DataFrame, expectation: Expectation, result_format: Any
) -> Any:
    engine = PandasExecutionEngine()
    engine.load_batch_data("frame", as_pandas(frame, expectation))
    validator = Validator(execution_engine=engine)
    validator.metrics_calculator.show_progress_bars = False
    configuration = prepare(expectation).configuration
    try:
        [result] = validator.graph_validate(
            [configuration], runtime_configuration={"result_format": result_format}
        )
    except Exception as exc:  # noqa: BLE001  (some raise before GX catches anything)
        info = {"raised_exception": True, "exception_message": str(exc), "exception_traceback": ""}
        return ExpectationValidationResult(
            success=False, exception_info=info, expectation_config=configuration
        )
    return result


def raised(result: Any) -> bool:
    info = result.exception_info or {}
    entries = [info] if "raised_exception" in info else list(info.values())
    return any(entry["raised_exception"] for entry in entries)


def differences(ours: Any, theirs: Any) -> list[str]:
    """Name what differs between two results, empty if they agree."""
    if raised(ours) or raised(theirs):
        return [] if raised(ours) and raised(theirs) else [f"raised: {raised(ours)} != {raised(theirs)}"]
    found = (
        [] if bool(ours.success) == bool(theirs.success) else [f"success: {ours.success} != {theirs.success}"]
    )
    own = _OWN_WORDS | {"observed_value"} if ours.expectation_config.type in TYPE_EXPECTATIONS else _OWN_WORDS
    keys = sorted((ours.result.keys() | theirs.result.keys()) - own)
    for key in keys:
        left, right = _comparable(ours.result, key), _comparable(theirs.result, key)
        if not is_same(left, right):
            found.append(f"{key}: {left!r} != {right!r}")
    return found


def _comparable(result: dict[str, Any], key: str) -> Any:
    value = plain(result.get(key))
    if key == "partial_missing_list" and value:
        return sorted(value, key=repr)  # a set in GX, so in any order
    if key == "partial_unexpected_counts" and "None" in repr(plain(result.get("partial_unexpected_list"))):
        return None  # counts of nulls: see "Nulls among the examples" in docs/engine.md
    return value


def plain(value: Any) -> Any:  # noqa: PLR0911  (a return for each kind of value)
    """Reduce a value to Python's own types; NaN, NaT and None are one."""
    if isinstance(value, dict):
        return {str(plain(key)): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(entry) for entry in value]
    if isinstance(value, pd.DataFrame):
        return plain(value.to_dict("records"))
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, (float, Decimal)):
        return None if math.isnan(value) else float(value)
    if isinstance(value, (dt.date, dt.datetime)):
        return pd.Timestamp(value).replace(nanosecond=0).isoformat()  # a result has Python's microseconds
    if isinstance(value, dt.time):
        return show(pd.Timedelta(value.isoformat()).to_pytimedelta())
    if isinstance(value, dt.timedelta):
        return show(pd.Timedelta(value).to_pytimedelta())
    return value


def is_same(left: Any, right: Any) -> bool:
    """Compare reduced values, floats to nine digits."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(is_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(is_same, left, right))
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)
    return bool(left == right)
