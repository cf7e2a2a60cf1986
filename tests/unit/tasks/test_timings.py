from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import dataclass
from threading import Thread

import pytest

from tasks.timings import (
    Recording,
    part,
    record_timings,
    recorded_spans,
    step,
    timed_step,
    timed_waits,
)


@dataclass
class Named:
    name: str


@timed_step("work", subject="table")
def work(_load: str, table: Named) -> str:
    with part("copy"):
        pass
    copy_again()
    return table.name


@part("copy")
def copy_again() -> None:
    """Counts to the same part."""


@pytest.fixture
def recording() -> Iterator[Recording]:
    with record_timings() as recording:
        recording.attempt = "load", 1
        yield recording


def test_step_is_named_by_its_subject_and_holds_its_parts(recording: Recording) -> None:
    assert work("load", table=Named("flights")) == "flights"
    [span] = recording.spans
    assert (span.step, span.subject, list(span.parts)) == ("work", "flights", ["copy"])
    assert 0 <= span.parts["copy"] <= span.took_s + 1e-4


def test_failed_step_is_recorded_too(recording: Recording) -> None:
    with pytest.raises(ZeroDivisionError), step("load"):
        1 / 0  # noqa: B018
    assert [span.step for span in recording.spans] == ["load"]


def test_spans_are_told_by_their_start(recording: Recording) -> None:
    with step("outer"), step("inner"):
        pass
    assert [span.step for span in recording.spans] == ["outer", "inner"]


def test_thread_in_a_copy_of_the_context_is_recorded(recording: Recording) -> None:
    thread = Thread(target=copy_context().run, args=(work, "load", Named("planes")))
    thread.start()
    thread.join()
    assert [span.subject for span in recording.spans] == ["planes"]


def test_waits_for_items_are_a_part_and_the_items_stay(recording: Recording) -> None:
    with step("extract"):
        assert list(timed_waits("wait", range(3))) == [0, 1, 2]
    assert list(recording.spans[0].parts) == ["wait"]


@pytest.mark.usefixtures("recording")
def test_spans_belong_to_the_attempt_that_is_recorded() -> None:
    work("load", Named("flights"))
    assert len(recorded_spans("load", 1)) == 1
    assert recorded_spans("load", 2) == []


def test_nothing_is_recorded_outside_of_a_recording() -> None:
    assert work("load", Named("flights")) == "flights"
    assert recorded_spans("load", 1) == []
