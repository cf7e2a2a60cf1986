"""Random questions to the engine and to GX on pandas; the long trial, which collects all that differs.

    python -m tests.unit.expectations.engine.differential --examples 5000 --seed 303

It prints a table and every unexplained difference, and ends with 1 if there is one.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.expectation import Expectation
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from expectations.engine import is_row_level, unexpected_rows_expr, validate_frame
from tests.unit.expectations.engine.deviations import explain
from tests.unit.expectations.engine.difference import Difference
from tests.unit.expectations.engine.oracle import differences, raised, validate_on_pandas
from tests.unit.expectations.engine.random_arguments import RESULT_FORMATS
from tests.unit.expectations.engine.random_frames import Sample, samples
from tests.unit.expectations.engine.random_suites import questions

COMPLETE = {"result_format": "COMPLETE"}


def validate(
    frame: pl.DataFrame | pl.LazyFrame, expectations: list[Expectation], form: Any = COMPLETE
) -> list[Any]:
    """The engine's results, in the order of the expectations."""
    suite = ExpectationSuite(name="suite", expectations=expectations)
    return list(validate_frame(frame, suite, result_format=form).results)


@dataclass(frozen=True)
class Question:
    """A frame, an expectation and a result format."""

    sample: Sample
    expectation: Expectation
    form: Any

    def __str__(self) -> str:
        kwargs = {name: value for name, value in self.expectation.configuration.kwargs.items() if value != []}
        frame = self.sample.frame
        columns = {name: f"{frame.schema[name]} {frame[name].to_list()}" for name in frame.columns}
        return f"{self.expectation.expectation_type} {kwargs} {self.form}\n    {columns}"


@st.composite
def random_questions(draw: st.DrawFn) -> Question:
    sample = draw(samples())
    return Question(sample, draw(questions(sample)), draw(RESULT_FORMATS))


def answer_both(asked: Question) -> tuple[str, list[str]]:
    """What came of it, and what differs without a reason.

    Raises:
        AssertionError: a row verdict is none of the engine's own unexpected rows.
    """
    frame, expectation = asked.sample.frame, asked.expectation
    [ours] = validate(frame, [expectation], asked.form)
    json.dumps(ours.to_json_dict())
    if is_row_level(expectation):
        check_verdicts(frame, expectation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GX on pandas warns of its own pandas calls
        theirs = validate_on_pandas(frame, expectation, asked.form)
        if not (found := differences(ours, theirs)):
            return "the same, both raise" if raised(ours) else "the same", []
        reason = explain(Difference(frame, expectation, ours, theirs), asked.form)
    return ("unexplained", found) if reason is None else (f"deviates: {reason}", [])


def check_verdicts(frame: pl.DataFrame, expectation: Expectation) -> None:
    """Row verdicts are the rows that the result counts and lists."""
    [result] = validate(frame.lazy(), [expectation])
    if raised(result):
        return
    expr = unexpected_rows_expr(expectation, frame.schema)
    verdict = frame.lazy().with_columns(expr.alias("verdict")).collect().get_column("verdict")
    assert verdict.dtype == pl.Boolean
    assert verdict.null_count() == 0
    assert verdict.sum() == result.result["unexpected_count"]
    assert verdict.arg_true().to_list() == result.result["unexpected_index_list"]


@dataclass
class Trial:
    """What a long run found."""

    outcomes: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)

    def run(self, examples: int, number: int) -> None:
        @seed(number)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(random_questions())
        def ask(asked: Question) -> None:
            self._ask(asked)

        ask()

    def _ask(self, asked: Question) -> None:
        try:
            outcome, found = answer_both(asked)
        except Exception:  # noqa: BLE001  (whatever it is, it is told, and the trial goes on)
            outcome, found = "unexplained", [traceback.format_exc(limit=-3)]
        self.outcomes[outcome] += 1
        if found:
            self.unexplained.append(f"{asked}\n    " + "\n    ".join(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    logging.disable(logging.ERROR)  # GX logs each metric that raises
    since, trial = time.perf_counter(), Trial()
    trial.run(args.examples, args.seed)
    for found in trial.unexplained:
        print(f"\n{found}")
    print(f"\nseed {args.seed}, {time.perf_counter() - since:.0f} s")
    for outcome, count in trial.outcomes.most_common():
        print(f"{count:>6}  {outcome}")
    print(f"{trial.outcomes.total():>6}  asked, {len(trial.unexplained)} unexplained")
    sys.exit(bool(trial.unexplained))


if __name__ == "__main__":
    main()
