"""From an expectation as a suite has it to one that can be evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from great_expectations.core.suite_parameters import build_suite_parameters
from great_expectations.expectations.expectation import Expectation


def prepare(expectation: Expectation, suite_parameters: Mapping[str, Any] | None = None) -> Expectation:
    """Fill in the suite's parameters and drop what is of no more use.

    GX makes an expectation anew several times while it validates. Once a `row_condition` string has become a
    condition, its `condition_parser` only makes GX warn that it is deprecated each time.

    Raises:
        ValueError: it compares with earlier runs, which GX Cloud does, and nothing else.
    """
    _refuse_windows(expectation, suite_parameters or {})
    if getattr(expectation, "condition_parser", None) is not None:
        expectation = expectation.copy(update={"condition_parser": None})
    if not expectation.suite_parameter_options:
        return expectation
    configuration = expectation.configuration
    kwargs, _ = build_suite_parameters(
        expectation_args=configuration.kwargs, suite_parameters=dict(suite_parameters or {})
    )
    configuration.kwargs = kwargs
    return configuration.to_domain_obj()


def _refuse_windows(expectation: Expectation, suite_parameters: Mapping[str, Any]) -> None:
    names = [
        window.parameter_name
        for window in expectation.windows or ()
        if window.parameter_name not in suite_parameters
    ]
    if names:
        raise ValueError(
            f"{expectation.expectation_type} has windows over earlier runs ({', '.join(names)}), which only "
            "GX Cloud computes. Give their values as suite parameters, or remove `windows`."
        )
