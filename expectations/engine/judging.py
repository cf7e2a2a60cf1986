"""What an expectation about a column concludes from its metric, where GX's own reading needs pandas.

A suite is JSON, a Polars column has dates, decimals, times and durations: bounds and sets are read as
the kind of what was observed, a bare date as its midnight, as GX's documentation has it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dateutil.parser import parse  # type: ignore[import-untyped]  # ships no types
from great_expectations.util import isclose

from expectations.engine.literals import as_moment, show, to_same_kind

_QUANTILE_TOLERANCE = 1e-4  # GX's


def judge_between(value: Any, bounds: Mapping[str, Any]) -> dict[str, Any]:
    """Compare a metric with `min_value` and `max_value`; without a value the expectation is not met."""
    if value is None or value != value:  # noqa: PLR0124  (NaN)
        return {"success": False, "result": {"observed_value": None}}
    low, high = (to_same_kind(bounds.get(key), value) for key in ("min_value", "max_value"))
    if isinstance(value, str):
        value = measured = _read_as(value, low, high)
    else:
        low, high, measured = map(as_moment, (low, high, value))
    is_above = low is None or (measured > low if bounds.get("strict_min") else measured >= low)
    is_below = high is None or (measured < high if bounds.get("strict_max") else measured <= high)
    return {"success": bool(is_above and is_below), "result": {"observed_value": show(value)}}


def _read_as(text: str, *bounds: Any) -> Any:
    """Read text as the date or moment that GX made of a bound, `"2024-02-29"` in a suite, as GX does."""
    if any(isinstance(bound, dt.datetime) for bound in bounds):
        return parse(text)
    return parse(text).date() if any(isinstance(bound, dt.date) for bound in bounds) else text


def judge_most_common(
    observed: Sequence[Any], wanted: Iterable[Any] | None, ties_okay: Any
) -> dict[str, Any]:
    """Look for the most common values in a set; unless `ties_okay`, there must be one alone."""
    found = [value for value in observed if _is_one_of(value, list(wanted or ()))]
    success = bool(found) and (bool(ties_okay) or len(observed) == 1)
    return {"success": success, "result": {"observed_value": show(list(observed))}}


def _is_one_of(value: Any, wanted: list[Any]) -> bool:
    for candidate in wanted:
        try:
            is_same = bool(as_moment(to_same_kind(candidate, value)) == as_moment(value))
        except (TypeError, ValueError):  # of another kind, so another value
            is_same = False
        if is_same:
            return True
    return False


def judge_quantiles(observed: Sequence[Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Compare each quantile with its range; an end that is None is open."""
    verdicts = [
        _is_in_range(value, low, high)
        for value, (low, high) in zip(observed, wanted["value_ranges"], strict=True)
    ]
    return {
        "success": all(verdicts),
        "result": {
            "observed_value": {"quantiles": wanted["quantiles"], "values": show(list(observed))},
            "details": {"success_details": verdicts},
        },
    }


def _is_in_range(value: Any, low: Any, high: Any) -> bool:
    if value is None:
        return False
    low, high = (_measure(to_same_kind(bound, value)) for bound in (low, high))
    measured = _measure(value)
    is_near = any(
        isclose(measured, bound, rtol=_QUANTILE_TOLERANCE) for bound in (low, high) if bound is not None
    )
    return is_near or ((low is None or low <= measured) and (high is None or measured <= high))


def _measure(value: Any) -> Any:
    """A value that GX can measure distances between: a date as its midnight, a time as what has passed."""
    if isinstance(value, dt.time):
        return dt.timedelta(
            hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond
        )
    return as_moment(value)
