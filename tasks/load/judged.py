"""What the steps before the load found: all that a publication needs to know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.handover import ExpectationOutcome, Extracted, TableVerdict


@dataclass(frozen=True)
class Release:
    """The entries of the quarantine whose rows a load brings, and what the person said who released them."""

    numbers: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Judged:
    """What the steps before found, per table and per resource."""

    verdicts: Mapping[str, TableVerdict]
    extracted: Mapping[str, Extracted]
    accepted_by: str | None = None
    release: Release | None = None


class BlockedInTransactionError(Exception):
    """A critical rule or table-scoped expectation does not hold: roll back, and record the block."""

    def __init__(self, outcomes: Sequence[ExpectationOutcome]) -> None:
        super().__init__("a critical rule or table-scoped expectation does not hold")
        self.outcomes = tuple(outcomes)
