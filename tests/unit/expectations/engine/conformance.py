"""GX's own cases: the engine against GX on pandas, and against what the case says, as a table.

    python -m tests.unit.expectations.engine.conformance [folder of cases]

It ends with 1 where a difference has no explanation in docs/engine.md.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from great_expectations.core import ExpectationSuite
from great_expectations.expectations.expectation import Expectation

from expectations.engine import validate_frame
from expectations.engine.to_pandas import to_pandas
from tests.unit.expectations.engine.cases import CASES, Case, read_cases
from tests.unit.expectations.engine.deviations import explain
from tests.unit.expectations.engine.difference import Difference
from tests.unit.expectations.engine.oracle import differences, raised, validate_on_pandas

SAME = "same"
UNEXPLAINED = "UNEXPLAINED"
HERE_ALONE = "What pandas cannot answer"


@dataclass(frozen=True)
class Outcome:
    """What became of one case.

    Attributes:
        verdict: same, deviates, left out, UNEXPLAINED.
        reason: why, where it is not the same.
        found: the differences.
    """

    case: str
    verdict: str
    reason: str = ""
    found: tuple[str, ...] = ()


def run_cases(cases: Iterable[Case]) -> list[Outcome]:
    """Ask both engines every case."""
    return [_run(case) for case in cases]


def _run(case: Case) -> Outcome:
    expectation = case.expectation()
    if isinstance(expectation, str):
        return Outcome(case.name, "left out", expectation)
    frame = case.frame()
    suite = ExpectationSuite(name="case", expectations=[expectation])
    [ours] = validate_frame(frame, suite, result_format=case.result_format).results
    theirs = _ask_pandas(case, expectation)
    if not (found := differences(ours, theirs)) and not (raised(ours) and case.is_like):
        return Outcome(case.name, SAME)
    agrees = case.agrees_with(ours, did_raise=raised(ours))
    if raised(theirs) and not raised(ours) and agrees:
        return Outcome(case.name, "deviates", HERE_ALONE, tuple(found))
    if reason := explain(Difference(frame, expectation, ours, theirs)):
        return Outcome(case.name, "deviates", reason, tuple(found))
    return Outcome(case.name, UNEXPLAINED, "agrees with the case" if agrees else "", tuple(found))


def _ask_pandas(case: Case, expectation: Expectation) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GX on pandas warns of its own pandas calls
        return validate_on_pandas(to_pandas(case.frame()), expectation, case.result_format)


def table(outcomes: Iterable[Outcome]) -> str:
    """One line for each file of cases, then each deviation and each reason to leave out."""
    outcomes = list(outcomes)
    columns = ("ran", SAME, "deviates", UNEXPLAINED, "left out")
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in outcomes:
        row = rows[outcome.case.split("[")[0]]
        row.update([outcome.verdict] if outcome.verdict == "left out" else [outcome.verdict, "ran"])
    total: Counter[str] = sum(rows.values(), Counter())
    width = max((len(name) for name in rows), default=8)
    lines = [" ".join([f"{'case':{width}}", *(f"{name:>11}" for name in columns)])]
    for name, row in [*sorted(rows.items()), ("all", total)]:
        lines.append(" ".join([f"{name:{width}}", *(f"{row[column]:>11}" for column in columns)]))
    left_out = Counter(outcome.reason for outcome in outcomes if outcome.verdict == "left out")
    lines += ["", *(f"left out: {count:>4}  {reason}" for reason, count in left_out.most_common())]
    lines += [
        f"{outcome.verdict}: {outcome.case}: {outcome.reason}: {'; '.join(outcome.found)[:300]}"
        for outcome in outcomes
        if outcome.verdict in {"deviates", UNEXPLAINED}
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    results = run_cases(read_cases(Path(sys.argv[1]) if len(sys.argv) > 1 else CASES))
    print(table(results))
    sys.exit(any(outcome.verdict == UNEXPLAINED for outcome in results))
