"""What the trials found; kept in a file, so that a long matrix can be stopped and taken up again."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tests.benchmarks.load.kills.moments import Moment
from tests.benchmarks.load.kills.shelf import plain
from tests.benchmarks.load.kills.trial import Verdict

COUNTS = (
    *("trials", "at a step", "at random", "faster", "unpublished", "published"),
    *("reads", "lost", "doubled", "torn", "other"),
)
"""Runs killed at a step and at random, and those that were faster; which of the killed had published; what a
reader looked at; what was wrong."""


class Trial(msgspec.Struct, frozen=True):
    """A kill, and what came of it."""

    variant: str
    moment: Moment
    verdict: Verdict

    @property
    def disposition(self) -> str:
        """As the pipeline declares it, whichever way its rows come."""
        return disposition_of(self.variant)


class Tally:
    """All trials; with a file, a JSON line each, those of earlier calls among them."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        lines = file.read_bytes().splitlines() if file and file.exists() else []
        self.trials = [msgspec.json.decode(line, type=Trial) for line in lines]

    def add(self, trial: Trial) -> None:
        """Keep a trial."""
        self.trials.append(trial)
        if self._file:
            with self._file.open("ab") as file:
                file.write(msgspec.json.encode(trial) + b"\n")

    def of(self, variant: str) -> list[Trial]:
        """The trials of one variant."""
        return [trial for trial in self.trials if trial.variant == variant]


def disposition_of(variant: str) -> str:
    """As the pipeline declares it: `replace` of `replace_streamed_first`."""
    return plain(variant).partition("_")[0]


def count_random(trials: Iterable[Trial]) -> int:
    """How many were killed at a random moment; a run that was faster than its moment does not count."""
    return sum(trial.verdict.was_killed and trial.moment.delay_s is not None for trial in trials)


def print_tally(trials: list[Trial]) -> None:
    """A line for each disposition, then one for all."""
    by_disposition: dict[str, Counter[str]] = {}
    for trial in trials:
        by_disposition.setdefault(trial.disposition, Counter()).update(_describe(trial))
    by_disposition["all"] = sum(by_disposition.values(), Counter())
    print("".join(f"{name:>12}" for name in ("", *COUNTS)))
    for disposition, found in by_disposition.items():
        print("".join(f"{cell:>12}" for cell in (disposition, *(f"{found[name]:,}" for name in COUNTS))))


def _describe(trial: Trial) -> Counter[str]:
    verdict = trial.verdict
    kind = "at a step" if trial.moment.delay_s is None else "at random"
    when = "published" if verdict.was_published else "unpublished"
    facts = Counter(["trials", *([kind, when] if verdict.was_killed else ["faster"])])
    faults = {"lost": verdict.lost, "doubled": verdict.doubled, "torn": verdict.torn, "other": verdict.other}
    return facts + Counter({name: len(lines) for name, lines in faults.items()} | {"reads": verdict.reads})
