"""Calls: the helper process gives the answers and errors that a plain call gives."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tasks import errors
from tasks.helper import HelperProcess
from tests.unit.tasks.helper.watching import Start, pid_of


def test_call_runs_in_another_process(helper: HelperProcess) -> None:
    assert helper.call("chores:pid") == pid_of(helper) != os.getpid()
    assert "chores" not in sys.modules


@pytest.mark.parametrize(
    "value", [None, 0.1, [1, {"a": '\U0001f600\n"\\\x00'}], "\ud800", float("inf"), {"value": "<script>"}]
)
def test_arguments_and_results_arrive_as_they_were(helper: HelperProcess, value: Any) -> None:
    assert helper.call("chores:echo", value=value) == value


def test_large_arguments_and_results_do_not_block_each_other(helper: HelperProcess) -> None:
    text = "ü\n" * 5_000_000
    assert helper.call("chores:echo", value=text) == text


def test_what_a_function_prints_goes_to_the_log(helper: HelperProcess, tmp_path: Path) -> None:
    assert helper.call("chores:shout", text='{"result": 1}') == 13
    assert helper.call("chores:echo", value=2) == 2
    assert (tmp_path / "logs" / "helper.log").read_text(encoding="utf-8").count('{"result": 1}\n') == 3


def test_concurrent_calls_each_get_their_own_answer(helper: HelperProcess) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda number: helper.call("chores:echo", value=number), range(200))
    assert list(answers) == list(range(200))


@pytest.mark.parametrize("is_inline", [False, True])
@pytest.mark.parametrize(
    ("function", "arguments", "kind", "message"),
    [
        ("fail", {"kind": "known"}, errors.ConfigurationError, r"^wrong: ü$"),
        ("fail", {"kind": "derived"}, errors.DataQualityError, r"^wrong: ü$"),
        ("fail", {"kind": "other"}, errors.FatalError, r"(?s)^KeyError: 'wrong: ü'\nTraceback.*in fail"),
        ("panic", {}, errors.FatalError, r"(?s)^PanicException: index out of bounds\nTraceback"),
        ("unspeakable", {}, errors.FatalError, r"^TypeError: Object of type set is not JSON serializable"),
        ("echo", {"valu": 1}, errors.FatalError, r"unexpected keyword argument 'valu'"),
        ("absent", {}, errors.FatalError, r"^AttributeError: .*absent"),
    ],
)  # fmt: skip
def test_errors_come_back_alike_from_the_helper_and_without_it(
    start: Start,
    is_inline: bool,
    function: str,
    arguments: dict[str, Any],
    kind: type[Exception],
    message: str,
) -> None:
    helper = start()
    if is_inline:
        helper._drop()
    with pytest.raises(errors.PipelineError, match=message) as caught:
        helper.call(f"chores:{function}", **arguments)
    assert type(caught.value) is kind
    assert helper.call("chores:echo", value=1) == 1
    assert (helper._child is None) is is_inline


def test_arguments_that_are_no_json_are_refused_before_the_call(helper: HelperProcess) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        helper.call("chores:echo", value={1})
    assert helper.call("chores:pid") == pid_of(helper)
