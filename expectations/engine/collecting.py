"""Many metrics, one pass: expressions that wait, and the collect that answers them together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import polars as pl

from expectations.engine.domain import RowTest

logger = logging.getLogger(__name__)

Engine = Literal["auto", "in-memory", "streaming"]
Key = TypeVar("Key", bound=Hashable)


def _unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Deferred:
    """A metric that waits to be computed together with others.

    Attributes:
        expr: gives exactly one value over the whole frame.
        finish: makes the metric's value of it, or another `Deferred` where one more look is needed.
        counts: the row test whose unexpected rows this metric counts.
    """

    expr: pl.Expr
    finish: Callable[[Any], Any] = field(default=_unchanged)
    counts: RowTest | None = None


@dataclass(frozen=True)
class Examples(Deferred):
    """Unexpected rows of a test: looked for after they were counted, and only if there are any.

    Attributes:
        test: the row test that the examples are of.
        nothing: the metric's value when there are none.
    """

    test: RowTest | None = None
    nothing: Any = field(default_factory=list)


@dataclass(frozen=True)
class Failure:
    """A metric that could not be computed, and why."""

    error: Exception


def collect(frame: pl.LazyFrame, waiting: Mapping[Key, Deferred], engine: Engine) -> dict[Key, Any]:
    """Compute all metrics in one pass over the frame; one more pass for those that ask for a second look.

    A metric that fails does not take the others with it: its value is a `Failure`.
    """
    done: dict[Key, Any] = {}
    while waiting:
        answers = _collect_once(frame, waiting, engine)
        done |= {key: value for key, value in answers.items() if not isinstance(value, Deferred)}
        waiting = {key: value for key, value in answers.items() if isinstance(value, Deferred)}
    return done


# A panic inside of Polars is no `Exception`, and would take the whole validation with it.
_WHATEVER = (Exception, pl.exceptions.PanicException)


def _as_exception(raised: BaseException) -> Exception:
    return raised if isinstance(raised, Exception) else RuntimeError(f"Polars panicked: {raised}")


def _collect_once(frame: pl.LazyFrame, waiting: Mapping[Key, Deferred], engine: Engine) -> dict[Key, Any]:
    try:
        return _select(frame, waiting, engine)
    except _WHATEVER as exc:  # whatever an expression raises is that metric's result
        if len(waiting) == 1:
            return {key: Failure(_as_exception(exc)) for key in waiting}
        logger.debug("One of %d metrics failed (%s); looking for it.", len(waiting), exc)
    return _collect_apart(frame, waiting, engine)


def _collect_apart(frame: pl.LazyFrame, waiting: Mapping[Key, Deferred], engine: Engine) -> dict[Key, Any]:
    """Find the failing metrics: by their schema first, which reads no data, then by halves."""
    broken = {key: failure for key, metric in waiting.items() if (failure := _plan_failure(frame, metric))}
    sound = {key: metric for key, metric in waiting.items() if key not in broken}
    if broken and sound:
        return broken | _collect_once(frame, sound, engine)
    if broken:
        return dict(broken)
    keys = list(sound)
    halves = (keys[: len(keys) // 2], keys[len(keys) // 2 :])
    return {
        key: value
        for half in halves
        for key, value in _collect_once(frame, {key: sound[key] for key in half}, engine).items()
    }


def _plan_failure(frame: pl.LazyFrame, metric: Deferred) -> Failure | None:
    try:
        frame.select(metric.expr).collect_schema()
    except _WHATEVER as exc:  # see _collect_once
        return Failure(_as_exception(exc))
    return None


def _select(frame: pl.LazyFrame, waiting: Mapping[Key, Deferred], engine: Engine) -> dict[Key, Any]:
    plan = frame.select(metric.expr.alias(str(i)) for i, metric in enumerate(waiting.values()))
    row = plan.collect(engine=engine)
    return {key: metric.finish(row.get_column(str(i))[0]) for i, (key, metric) in enumerate(waiting.items())}
