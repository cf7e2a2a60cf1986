"""What assay is to reach, as ratios between contestants of one round, or bounds."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.benchmarks.end_to_end.results import Result

Figure = Literal["wall_s", "steady_s", "peak_mib", "wal_mib"]
Runs = Mapping[str, Sequence[Result]]


@dataclass(frozen=True)
class Target:
    """One line of the table.

    Attributes:
        what: In words.
        scenario: Where it is measured.
        figure: What is compared.
        ours: The contestant.
        other: What its figure is divided by, or divides; None for a bound on the figure itself.
        at_least: How many times faster than `other`; None where `at_most` is meant.
        at_most: How many times `other`'s figure, or how much.
    """

    what: str
    scenario: str
    figure: Figure
    ours: str
    other: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    unit: str = "times"

    def measure(self, runs: Runs) -> float | None:
        """The median over the rounds; None when somebody is missing."""
        ours, other = self._figures(runs, self.ours), self._figures(runs, self.other)
        if not ours or (self.other and not other):
            return None
        if self.other is None:
            return statistics.median(ours)
        pairs = zip(ours, other, strict=False)
        return statistics.median(b / a if self.at_least else a / b for a, b in pairs)

    def holds(self, found: float) -> bool:
        """Whether it is reached."""
        return found >= self.at_least if self.at_least else found <= (self.at_most or 0)

    def state_wanted(self) -> str:
        """What is wanted."""
        return f"{self.at_least:g} {self.unit}" if self.at_least else f"≤ {self.at_most:g} {self.unit}"

    def state(self, found: float) -> str:
        """What was found."""
        return f"{found:,.1f} {self.unit}" if found >= 3 else f"{found:.2f} {self.unit}"

    def _figures(self, runs: Runs, name: str | None) -> list[float]:
        return [getattr(run, self.figure) for run in runs.get(self.scenario, ()) if run.contestant == name]


STEADY, WHOLE = "assay, steady", "assay, under Prefect"
TARGETS = (
    Target(
        "First load, steady state, against the hand-written line",
        "first",
        "steady_s",
        STEADY,
        "hand-written line",
        at_most=1.6,
    ),
    Target(
        "First load, steady state, against dlt as it comes",
        "first",
        "steady_s",
        STEADY,
        "dlt as it comes",
        at_least=14,
    ),
    Target(
        "First load, steady state, against dlt tuned", "first", "steady_s", STEADY, "dlt tuned", at_least=5
    ),
    Target(
        "First load, whole process, against dlt as it comes",
        "first",
        "wall_s",
        WHOLE,
        "dlt as it comes",
        at_least=7,
    ),
    Target(
        "First load, whole process, against dlt tuned", "first", "wall_s", WHOLE, "dlt tuned", at_least=2.5
    ),
    Target(
        "Merge, nothing changed, steady state, against dlt tuned",
        "unchanged",
        "steady_s",
        STEADY,
        "dlt tuned",
        at_least=5,
    ),
    Target("Merge, nothing changed: WAL", "unchanged", "wal_mib", STEADY, at_most=1, unit="MiB"),
    Target(
        "50 ms a page, steady state, against dlt, deferred by hand",
        "latency",
        "steady_s",
        STEADY,
        "dlt tuned, deferred",
        at_least=4,
    ),
    Target(
        "50 ms a page, steady state, against dlt's REST source, tuned",
        "latency",
        "steady_s",
        STEADY,
        "dlt tuned",
        at_least=4,
    ),
    Target(
        "Ten times the rows: time",
        "tenfold",
        "steady_s",
        "assay, ten times the rows",
        "assay, 336,776 rows",
        at_most=10.5,
    ),
    Target(
        "Ten times the rows: peak memory of the process tree",
        "tenfold",
        "peak_mib",
        "assay, ten times the rows",
        "assay, 336,776 rows",
        at_most=1.2,
    ),
    Target(
        "10 million narrow rows: peak memory of the process tree",
        "narrow",
        "peak_mib",
        "assay, 10 million narrow rows",
        at_most=1228.8,
        unit="MiB",
    ),
    Target("A pipeline of 100 rows, whole process", "small", "wall_s", WHOLE, at_most=5, unit="s"),
)
