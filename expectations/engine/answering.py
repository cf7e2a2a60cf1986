"""Answer metrics about one batch: counts and aggregates in one pass, copies in one over their columns."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import polars as pl

from expectations.engine.batch import PolarsBatchData
from expectations.engine.collecting import Deferred, collect
from expectations.engine.copies import count_copies
from expectations.engine.domain import RowTest

_HEIGHT = "height"


def answer(batch: PolarsBatchData, waiting: Mapping[Any, Deferred]) -> dict[Any, Any]:
    """Value or `Failure` of every metric; the batch keeps what was counted."""
    copies = {key: metric for key, metric in waiting.items() if _counts_copies(metric)}
    others: dict[Hashable, Deferred] = {k: metric for k, metric in waiting.items() if k not in copies}
    if copies and batch.height is None:
        others[_HEIGHT] = Deferred(pl.len())
    values = collect(batch.lazy, others, batch.collect_engine)
    batch.height = values.pop(_HEIGHT, batch.height)
    values |= _answer_copies(batch, copies)
    for key, metric in waiting.items():
        if metric.counts is not None:
            batch.counts[metric.counts] = values[key]
    return values


def _counts_copies(metric: Deferred) -> bool:
    return metric.counts is not None and metric.counts.key is not None


def _answer_copies(batch: PolarsBatchData, waiting: Mapping[Any, Deferred]) -> dict[Any, Any]:
    tests: list[RowTest] = [metric.counts for metric in waiting.values() if metric.counts is not None]
    if not tests or not isinstance(batch.height, int):
        return dict.fromkeys(waiting, batch.height)
    try:
        found = count_copies(batch.lazy, batch.height, tests, batch.run)
    except Exception:  # noqa: BLE001  (one test fails: which, and why, is found by asking each for itself)
        return collect(batch.lazy, waiting, batch.collect_engine)
    batch.verdicts |= {
        test: copies.unexpected for test, copies in found.items() if copies.unexpected is not None
    }
    return {key: found[test].count for key, test in zip(waiting, tests, strict=True)}
