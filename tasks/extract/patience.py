"""When to ask again, and when to give up."""

import itertools
import logging
from collections.abc import Callable
from typing import TypeVar

import stamina
from stamina.instrumentation import RetryDetails

from tasks.errors import RetriableError
from tasks.extract.body import Deadline
from tasks.extract.failures import TooMuchAskedError
from tasks.extract.limiter import RateLimiter

_log = logging.getLogger(__name__)

LONGEST_PAUSE_S = 120.0
"""An API that asks for more is left to the Prefect task, which retries later and blocks no worker."""
_GUESSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Pauses where the API asks for none, or for one that is over: the clocks may differ."""
T = TypeVar("T")


def ask_patiently(ask: Callable[[str], T], *, attempts: int, deadline: Deadline, limiter: RateLimiter) -> T:
    """What `ask` returns, asked again with back-off as long as what is wrong may pass.

    That the API refuses because too much was asked is no try: it is asked again when it says so, by all
    threads, or after a growing pause. One that fails and says when to come back is left alone until then.
    `ask` is told which try it is.

    Raises:
        RetriableError: It still fails after so many tries, or at the deadline, or the API asked to be left
            alone for longer than `LONGEST_PAUSE_S`.
    """
    for attempt in stamina.retry_context(
        on=lambda exc: _may_pass(exc, deadline),
        attempts=attempts,
        timeout=None,
        wait_initial=0.1,
        wait_max=5.0,
        wait_jitter=0.3,
    ):
        with attempt:
            return _ask_when_allowed(ask, f"try {attempt.num} of {attempts}", deadline, limiter)
    raise AssertionError("stamina raises the last error")


def log_retry(details: RetryDetails) -> None:
    """Say in our words that something is tried again; for stamina's hook."""
    asked_s = getattr(details.caused_by, "retry_after_s", None) or 0.0
    _log.warning("%s. Trying again in %.1f s.", details.caused_by, max(details.wait_for, asked_s))


def _ask_when_allowed(ask: Callable[[str], T], tries: str, deadline: Deadline, limiter: RateLimiter) -> T:
    for refusals in itertools.count():
        try:
            return ask(tries)
        except TooMuchAskedError as exc:
            pause_s = exc.retry_after_s or _GUESSES_S[min(refusals, len(_GUESSES_S) - 1)]
            limit_s = min(LONGEST_PAUSE_S, deadline.left_s)
            is_news = limiter.pause(min(pause_s, limit_s))
            if pause_s >= limit_s:
                raise
            if is_news:
                _log.warning("%s. Waiting for %.1f s.", exc, pause_s)
        except RetriableError as exc:
            limiter.pause(min(exc.retry_after_s or 0.0, LONGEST_PAUSE_S))
            raise
    raise AssertionError("counting never ends")


def _may_pass(exc: Exception, deadline: Deadline) -> bool:
    if not isinstance(exc, RetriableError) or isinstance(exc, TooMuchAskedError):
        return False
    return deadline.left_s > 0 and (exc.retry_after_s or 0.0) <= min(LONGEST_PAUSE_S, deadline.left_s)
