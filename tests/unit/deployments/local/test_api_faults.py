"""Faults strike where and as often as they were told to."""

import pytest

from deployments.local.api.faults import Fault, FaultSwitch
from deployments.local.api.rate_limit import RateLimit


@pytest.fixture
def switch() -> FaultSwitch:
    return FaultSwitch()


def test_fault_strikes_only_its_resource_and_page(switch: FaultSwitch) -> None:
    switch.switch_on(Fault("error_500", resource="flights", page=3))
    assert switch.strike("flights", 2) is None
    assert switch.strike("weather", 3) is None
    assert switch.strike("flights", 3) is not None


def test_fault_is_spent_after_its_times(switch: FaultSwitch) -> None:
    switch.switch_on(Fault("slow", times=2))
    struck = [switch.strike("flights", 1) for _ in range(3)]
    assert [fault is not None for fault in struck] == [True, True, False]
    assert switch.list_on() == []


def test_first_fault_switched_on_strikes_first(switch: FaultSwitch) -> None:
    switch.switch_on(Fault("error_500", times=1))
    switch.switch_on(Fault("html_200"))
    names = [fault.fault for fault in (switch.strike("flights", 1), switch.strike("flights", 1)) if fault]
    assert names == ["error_500", "html_200"]


def test_faults_are_switched_off_by_name_or_all(switch: FaultSwitch) -> None:
    for name in ("error_500", "html_200", "slow"):
        switch.switch_on(Fault(name))
    switch.switch_off("html_200")
    assert [fault.fault for fault in switch.list_on()] == ["error_500", "slow"]
    switch.switch_off()
    assert switch.strike("flights", 1) is None


def test_rate_limit_allows_a_burst_of_one_second_then_the_rate() -> None:
    now_s = 100.0
    limit = RateLimit(4, read_clock=lambda: now_s)
    assert [limit.wait_s() for _ in range(5)] == [0, 0, 0, 0, 0.25]
    now_s += 0.25
    assert [limit.wait_s() for _ in range(2)] == [0, 0.25]
    now_s += 3600
    assert [limit.wait_s() for _ in range(5)].count(0) == 4


def test_no_rate_limit_never_waits() -> None:
    limit = RateLimit(None)
    assert not any(limit.wait_s() for _ in range(1000))
