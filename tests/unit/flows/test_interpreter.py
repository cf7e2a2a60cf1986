"""The interpreter is set for runs for as long as there is one."""

import gc
import sys

from flows.interpreter import TURN_S, YOUNG_OBJECTS, lasting_imports, set_for_runs


def test_it_is_set_until_the_last_run_has_ended_and_then_as_before() -> None:
    before = sys.getswitchinterval(), gc.get_threshold()
    with set_for_runs():
        with set_for_runs():
            assert abs(sys.getswitchinterval() - TURN_S) < 1e-9
        assert abs(sys.getswitchinterval() - TURN_S) < 1e-9
        assert gc.get_threshold() == (YOUNG_OBJECTS, *before[1][1:])
    assert (sys.getswitchinterval(), gc.get_threshold()) == before


def test_a_collector_that_is_off_stays_off() -> None:
    before = gc.get_threshold()
    gc.set_threshold(0, *before[1:])
    try:
        with set_for_runs():
            assert gc.get_threshold()[0] == 0
        assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)


def test_nothing_is_collected_during_imports_and_what_they_made_is_never_looked_at() -> None:
    before = gc.get_freeze_count()
    try:
        with lasting_imports():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()


def test_a_collector_that_is_disabled_is_not_enabled_by_imports() -> None:
    gc.disable()
    try:
        with lasting_imports():
            pass
        assert not gc.isenabled()
    finally:
        gc.unfreeze()
        gc.enable()
