"""The checks as a GX suite, for this project's engine and for GX on pandas."""

from __future__ import annotations

from typing import Any

from great_expectations.core import ExpectationSuite, ExpectationSuiteValidationResult
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

from tests.benchmarks.engine.checks import Check, Verdicts

TYPES = {
    "row_count": "expect_table_row_count_to_be_between",
    "columns": "expect_table_columns_to_match_set",
    "not_null": "expect_column_values_to_not_be_null",
    "between": "expect_column_values_to_be_between",
    "in_set": "expect_column_values_to_be_in_set",
    "not_in_set": "expect_column_values_to_not_be_in_set",
    "regex": "expect_column_values_to_match_regex",
    "length": "expect_column_value_lengths_to_equal",
    "greater": "expect_column_pair_values_a_to_be_greater_than_b",
    "unique": "expect_column_values_to_be_unique",
    "mean": "expect_column_mean_to_be_between",
    "deviation": "expect_column_stdev_to_be_between",
    "max": "expect_column_max_to_be_between",
    "distinct_count": "expect_column_unique_value_count_to_be_between",
}


def as_suite(checks: tuple[Check, ...]) -> ExpectationSuite:
    return ExpectationSuite(name="flights", expectations=[_as_expectation(check) for check in checks])


def _as_expectation(check: Check) -> Any:
    kwargs = dict(check.args)
    if check.column:
        kwargs["column_A" if check.kind == "greater" else "column"] = check.column
    return ExpectationConfiguration(type=TYPES[check.kind], kwargs=kwargs).to_domain_obj()


def read_verdicts(result: ExpectationSuiteValidationResult, checks: tuple[Check, ...]) -> Verdicts:
    """Verdicts by check; GX on pandas gives results in an order of its own."""
    verdicts = {}
    for check in checks:
        kwargs = {"column_A" if check.kind == "greater" else "column": check.column} if check.column else {}
        (found,) = (r for r in result.results if _is_of(r.expectation_config, TYPES[check.kind], kwargs))
        assert not (found.exception_info or {}).get("raised_exception"), found
        verdicts[check.name] = bool(found.success)
    return verdicts


def _is_of(config: Any, expectation_type: str, kwargs: dict[str, str]) -> bool:
    return bool(config.type == expectation_type and kwargs.items() <= config.kwargs.items())
