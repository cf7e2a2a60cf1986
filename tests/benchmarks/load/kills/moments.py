"""When a run is killed: on entering or leaving a named step, or some time after one."""

import inspect
import os
import random
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from types import FrameType
from typing import Any

START = "the beginning"
STAGING = "entering tasks.load.load:stage_table"

_STEPS = {
    "tasks.extract.extract:extract_resource": "el",
    "tasks.transform.transform:transform_tables": "el",
    "tasks.validate.validate:validate_table": "el",
    "tasks.load.load:stage_table": "el",
    "tasks.load.staging:copy_frame": "el",
    "tasks.load.streaming:StagingStream._create": "el",
    "tasks.load.streaming:StagingStream._copy": "el",
    "tasks.load.streaming:StagingStream.finish": "el",
    "tasks.load.streaming:StagingStream._prepare": "el",
    "tasks.load.adopting:index_early": "el",
    "tasks.load.adopting:add_key": "el",
    "tasks.load.staging:ensure_statistics": "el",
    "tasks.load.settling:settle_staged": "el",
    "tasks.load.load:load_tables": "el",
    "tasks.load.fitting:fit_tables": "l",
    "tasks.load.publication:_claim_publication": "l",
    "tasks.load.staging:assert_staged": "el",
    "tasks.load.publication:_lock_tables": "l",
    "tasks.load.cursors:move_cursors": "l",
    "tasks.load.applying:_find": "el",
    "tasks.load.applying:_write": "el",
    "tasks.load.reporting:note_touched": "l",
    "tasks.load.reporting:refresh_report": "el",
    "tasks.load.checks:run_checks": "l",
    "tasks.load.quarantine:keep_quarantined": "el",
    "tasks.load.history:record_counts": "l",
    "tasks.load.history:record_validations": "l",
    "tasks.load.publication:_publish": "l",
    "tasks.load.publication:_tidy_staging": "el",
    "flows.telling:tell": "el",
    "tasks.load.ledger:mark_told": "el",
    "flows.tidying:tidy_work": "el",
}
VERBS = {"e": ("entering", "call"), "l": ("leaving", "return")}
NAMED = [f"{VERBS[verb][0]} {step}" for step, verbs in _STEPS.items() for verb in verbs]
"""`leaving …:_publish` is the last moment before COMMIT, `entering …:_tidy_staging` the first after it."""


@dataclass(frozen=True)
class Moment:
    """So many seconds after a step is entered or left; at once, the run kills itself."""

    step: str
    delay_s: float | None = None

    def __str__(self) -> str:
        return self.step if self.delay_s is None else f"{self.delay_s * 1000:.0f} ms after {self.step}"


def random_moment(lengths: dict[str, float], chance: random.Random) -> Moment:
    """A random moment of a run; every other one after staging began, since that is where it matters."""
    step = chance.choice([START, STAGING])
    return Moment(step, chance.uniform(0, lengths[step] * 1.1))


def watch_for(step: str, arrived: Callable[[], None]) -> None:
    """Call this on arriving at the step, in whichever thread. Nothing of the run is replaced for it."""
    if step == START:
        arrived()
        return
    verb, _, name = step.partition(" ")
    event = dict(VERBS.values())[verb]
    module, _, function = name.partition(":")
    code = inspect.unwrap(attrgetter(function)(import_module(module))).__code__

    def profile(frame: FrameType, what: str, _: Any) -> None:
        if frame.f_code is code and what == event:
            sys.setprofile(None)
            threading.setprofile(None)
            arrived()

    threading.setprofile(profile)
    sys.setprofile(profile)


def die() -> None:
    """As `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)
