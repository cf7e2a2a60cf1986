"""Validate one frame against one suite, without a GX context."""

from __future__ import annotations

import traceback
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from great_expectations import __version__ as gx_version
from great_expectations.core import (
    ExpectationSuite,
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.expectations.expectation import Expectation
from great_expectations.validator.exception_info import ExceptionInfo
from great_expectations.validator.validation_statistics import calc_validation_statistics
from great_expectations.validator.validator import ValidationDependencies

from expectations.engine.execution_engine import PolarsExecutionEngine
from expectations.engine.planning import MetricGraph, configurations_remembered, ids_remembered
from expectations.engine.preparing import prepare

ResultFormat = str | dict[str, Any]
Runtime = dict[str, Any]


@ids_remembered()
def validate_frame(
    frame: pl.DataFrame | pl.LazyFrame, suite: ExpectationSuite, *, result_format: ResultFormat = "SUMMARY"
) -> ExpectationSuiteValidationResult:
    """Validate a frame against a plain GX suite; the result is GX's own.

    Every call has its own engine, so calls at the same time never share a result. No context is made, nothing
    is stored or sent. Results are in the order of the suite. An expectation that raises is among them, with
    success False and `exception_info`. Only columns that the suite names are read.

    Args:
        frame: the rows to validate; a LazyFrame is streamed.
        suite: any GX suite; severity and meta come back with each result.
        result_format: GX's, by name or as its dict, which can name the columns of a key in
            `unexpected_index_column_names`.
    """
    engine = PolarsExecutionEngine()
    engine.load_batch_data("frame", frame)
    runtime = {"result_format": result_format, "catch_exceptions": True}
    graph = MetricGraph(engine)
    runs = [_plan(expectation, suite, graph, engine, runtime) for expectation in suite.expectations]
    metrics, aborted = graph.resolve(deepcopy(runtime), show_progress_bars=False)
    results = [_judge(run, metrics, aborted, engine, runtime) for run in runs]
    return _summarize(results, suite)


@dataclass
class _Run:
    """One expectation on its way through a validation.

    Attributes:
        declared: as the suite has it.
        prepared: as it is evaluated, None if it could not be.
        needed: the metrics that it reads, None if it could not be planned.
        reached: ids of these and of all that they depend on.
        failure: why it could not be planned.
    """

    declared: Expectation
    prepared: Expectation | None = None
    needed: ValidationDependencies | None = None
    reached: set[Any] = field(default_factory=set)
    failure: ExceptionInfo | None = None

    @property
    def reported(self) -> Expectation:
        """As the result names it: with the values of suite parameters, as in GX."""
        return self.prepared if self.prepared and self.declared.suite_parameter_options else self.declared


def _plan(
    declared: Expectation,
    suite: ExpectationSuite,
    graph: MetricGraph,
    engine: PolarsExecutionEngine,
    runtime: Runtime,
) -> _Run:
    run = _Run(declared)
    try:
        run.prepared = prepare(declared, suite.suite_parameters)
        runtime = deepcopy(runtime)  # GX writes into it
        with configurations_remembered():
            needed = run.prepared.get_validation_dependencies(
                execution_engine=engine, runtime_configuration=runtime
            )
        run.reached = graph.add_metrics(needed.get_metric_configurations(), runtime)
        run.needed = needed
    except Exception as exc:  # noqa: BLE001  (an expectation that raises is a result)
        run.failure = _describe(exc)
    return run


def _judge(
    run: _Run, metrics: Any, aborted: Any, engine: PolarsExecutionEngine, runtime: Runtime
) -> ExpectationValidationResult:
    configuration = run.reported.configuration
    if run.needed is None or run.prepared is None:
        return _failed(configuration, run.failure)
    if failed := {str(m): info["exception_info"] for m, info in aborted.items() if m in run.reached}:
        return _failed(configuration, failed)
    try:
        with configurations_remembered():
            result = run.prepared.metrics_validate(
                metrics, execution_engine=engine, runtime_configuration=deepcopy(runtime)
            )
    except Exception as exc:  # noqa: BLE001  (an expectation that raises is a result)
        return _failed(configuration, _describe(exc))
    result.expectation_config = configuration
    return result


def _describe(exc: Exception) -> ExceptionInfo:
    return ExceptionInfo(
        exception_traceback="".join(traceback.format_exception(exc)), exception_message=str(exc)
    )


def _failed(configuration: Any, failure: Any) -> ExpectationValidationResult:
    return ExpectationValidationResult(
        success=False, exception_info=failure, expectation_config=configuration
    )


def _summarize(
    results: list[ExpectationValidationResult], suite: ExpectationSuite
) -> ExpectationSuiteValidationResult:
    statistics = calc_validation_statistics(results)
    return ExpectationSuiteValidationResult(
        results=results,
        success=statistics.success,
        suite_name=suite.name,
        suite_parameters=suite.suite_parameters,
        statistics={
            "evaluated_expectations": statistics.evaluated_expectations,
            "successful_expectations": statistics.successful_expectations,
            "unsuccessful_expectations": statistics.unsuccessful_expectations,
            "success_percent": statistics.success_percent,
        },
        meta={"great_expectations_version": gx_version},
    )
