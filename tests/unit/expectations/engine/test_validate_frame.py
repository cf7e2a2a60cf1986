"""What `validate_frame` promises beside GX's results."""

from __future__ import annotations

import datetime as dt
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.row_conditions import Column
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView

from expectations.engine import collecting, validate_frame
from tests.unit.expectations.engine.frames import MIXED, aggregates, gxe, row_level
from tests.unit.expectations.engine.oracle import raised


def suite(*expectations: Any, **kwargs: Any) -> ExpectationSuite:
    return ExpectationSuite(name="suite", expectations=list(expectations), **kwargs)


def unreadable(name: str) -> pl.Expr:
    def fail(_: pl.Series) -> pl.Series:
        raise AssertionError(f"column {name!r} was read")

    return pl.lit(1).map_batches(fail, return_dtype=pl.Int64, is_elementwise=True).alias(name)


def test_results_are_in_the_order_of_the_suite() -> None:
    expectations = [
        gxe.ExpectColumnMaxToBeBetween(column="j", max_value=5),
        gxe.ExpectColumnMaxToBeBetween(column="unknown", max_value=5),
        gxe.ExpectTableRowCountToEqual(value=8),
        gxe.ExpectColumnMinToBeBetween(column="i", min_value=0),
        gxe.ExpectColumnMinToBeBetween(column="j", min_value=0),
        gxe.ExpectColumnMinToBeBetween(column="j", min_value=0),
    ]
    result = validate_frame(MIXED, suite(*expectations))
    assert [r.expectation_config for r in result.results] == [e.configuration for e in expectations]
    assert [r.success for r in result.results] == [True, False, True, True, False, False]


def test_an_expectation_that_raises_is_a_result_and_the_others_are_evaluated() -> None:
    result = validate_frame(
        MIXED,
        suite(
            gxe.ExpectColumnValuesToBeUnique(column="unknown"),
            gxe.ExpectColumnValuesToBeBetween(column="s", min_value=1),
            gxe.ExpectColumnMeanToBeBetween(column="s", min_value=1),
            gxe.ExpectColumnValuesToBeUnique(column="i", row_condition=Column("nowhere") > 1),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="i", column_B="s"),
            gxe.ExpectColumnValuesToNotBeNull(column="j"),
        ),
    )
    assert [raised(r) for r in result.results] == [True] * 5 + [False]
    assert [r.success for r in result.results] == [False] * 5 + [True]
    assert 'The column "unknown" in BatchData does not exist' in str(result.results[0].exception_info)
    assert "must either be None or of the same type" in str(result.results[1].exception_info)
    assert "needs numbers" in str(result.results[2].exception_info)
    assert result.statistics["unsuccessful_expectations"] == 5


class ExpectColumnValuesToBeUnheardOf(ColumnMapExpectation):
    map_metric = "column_values.unheard_of"


def test_an_expectation_without_a_metric_fails_loudly_and_alone() -> None:
    expectations = [ExpectColumnValuesToBeUnheardOf(column="i"), gxe.ExpectColumnToExist(column="i")]
    [unheard_of, other] = validate_frame(MIXED, suite(*expectations)).results
    assert not unheard_of.success
    assert "column_values.unheard_of" in str(unheard_of.exception_info)
    assert other.success


def test_a_panic_inside_of_polars_is_a_result_and_the_others_are_evaluated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    select = collecting._select

    def panic(frame: Any, waiting: Any, engine: Any) -> Any:
        if any("mean" in str(metric.expr) for metric in waiting.values()):
            raise pl.exceptions.PanicException("unwrap on None")
        return select(frame, waiting, engine)

    monkeypatch.setattr(collecting, "_select", panic)
    expectations = [gxe.ExpectColumnMeanToBeBetween(column="j"), gxe.ExpectColumnMaxToBeBetween(column="j")]
    mean, maximum = validate_frame(MIXED, suite(*expectations)).results
    assert "Polars panicked" in str(mean.exception_info)
    assert maximum.success


def test_no_dates_have_no_quantiles_whatever_lies_between_them() -> None:
    frame = pl.DataFrame({"d": [None, None]}, schema={"d": pl.Date})
    for how in ("nearest", "lower", "higher", "linear"):
        ranges = {"quantiles": [0.0, 0.5, 1.0], "value_ranges": [["2024-01-01", "2024-01-02"]] * 3}
        [result] = validate_frame(
            frame,
            suite(
                gxe.ExpectColumnQuantileValuesToBeBetween(
                    column="d", quantile_ranges=ranges, allow_relative_error=how
                )
            ),
        ).results
        assert result.result["observed_value"]["values"] == [None] * 3


def test_severity_meta_and_suite_parameters_come_back() -> None:
    expectation = gxe.ExpectColumnMaxToBeBetween(
        column="j", max_value={"$PARAMETER": "top"}, severity="warning", meta={"quarantine": True}
    )
    result: Any
    [result] = validate_frame(MIXED, suite(expectation, suite_parameters={"top": 3})).results
    assert result.success
    assert result.expectation_config.kwargs["max_value"] == 3
    assert result.expectation_config.severity == "warning"
    assert result.expectation_config.meta == {"quarantine": True}


@pytest.mark.parametrize(
    ("result_format", "keys"),
    [
        ("BOOLEAN_ONLY", set()),
        ("BASIC", {"partial_unexpected_list"}),
        ("SUMMARY", {"partial_unexpected_list", "partial_unexpected_index_list"}),
        ("COMPLETE", {"unexpected_list", "unexpected_index_list", "unexpected_index_query"}),
    ],
)
def test_result_format_says_how_much_is_reported(result_format: str, keys: set[str]) -> None:
    [result] = validate_frame(
        MIXED, suite(gxe.ExpectColumnValuesToBeUnique(column="i")), result_format=result_format
    ).results
    assert result.success is False
    assert keys <= result.result.keys()
    assert bool(result.result) == bool(keys)


def test_unexpected_rows_are_named_by_their_key() -> None:
    result_format = {"result_format": "COMPLETE", "unexpected_index_column_names": ["j", "g"]}
    expectation = gxe.ExpectColumnValuesToBeBetween(column="i", max_value=2)
    [result] = validate_frame(MIXED, suite(expectation), result_format=result_format).results
    assert result.result["unexpected_index_list"] == [{"i": 3, "j": 1, "g": "y"}, {"i": 3, "j": 3, "g": "x"}]


def test_unexpected_rows_can_be_listed_whole() -> None:
    result_format = {"result_format": "BASIC", "include_unexpected_rows": True}
    expectation = gxe.ExpectColumnValuesToBeBetween(column="j", min_value=0)
    [result] = validate_frame(MIXED, suite(expectation), result_format=result_format).results
    rows = result.result["unexpected_rows"]
    assert (list(rows.index), list(rows.columns), rows["s"].tolist()) == ([4], MIXED.columns, ["A\n"])


def test_only_columns_that_the_suite_names_are_read() -> None:
    frame = MIXED.lazy().select("i", "g", unreadable("secret"))
    result = validate_frame(
        frame,
        suite(
            gxe.ExpectColumnValuesToBeUnique(column="i", row_condition=Column("g") == "x"),
            gxe.ExpectTableColumnCountToEqual(value=3),
            gxe.ExpectTableRowCountToEqual(value=8),
        ),
        result_format="COMPLETE",
    )
    assert [raised(r) for r in result.results] == [False] * 3


def passes(monkeypatch: pytest.MonkeyPatch, expectations: list[Any]) -> list[int]:
    sizes: list[int] = []
    select = collecting._select

    def count(frame: Any, waiting: Any, engine: Any) -> Any:
        sizes.append(len(waiting))
        return select(frame, waiting, engine)

    monkeypatch.setattr(collecting, "_select", count)
    validate_frame(MIXED.lazy(), suite(*expectations))
    return sizes


def test_a_suite_that_succeeds_takes_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    expectations = [
        gxe.ExpectColumnValuesToBeInSet(column="g", value_set=["x", "y"]),
        gxe.ExpectColumnValuesToNotBeNull(column="j", row_condition=Column("g") == "x"),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["i", "j", "s"]),
        gxe.ExpectColumnMeanToBeBetween(column="f", min_value=-9, max_value=9),
        gxe.ExpectTableRowCountToEqual(value=8),
    ]
    assert len(passes(monkeypatch, expectations)) == 1


def test_examples_take_one_more_pass_for_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    expectations = [
        gxe.ExpectColumnValuesToBeInSet(column="g", value_set=["x"]),
        gxe.ExpectColumnValuesToNotBeNull(column="j"),
    ]
    [_, examples] = passes(monkeypatch, expectations)
    assert examples == 2  # values and positions of the one that failed


def test_simultaneous_validations_never_share_a_result() -> None:
    expectations = row_level()[::3] + aggregates()[::3]

    def validate(n: int) -> tuple[int, dict[str, Any]]:
        frame = MIXED.head(n) if n % 2 else MIXED.head(n).lazy()
        result: Any = validate_frame(frame, suite(*expectations), result_format="COMPLETE")
        return n, result.to_json_dict()

    alone = dict(validate(n) for n in range(1, 9))
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(validate, list(range(1, 9)) * 2))
    assert all(result == alone[n] for n, result in together)


def test_a_validation_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert validate_frame(MIXED, suite(gxe.ExpectTableRowCountToEqual(value=8))).success


def test_a_validation_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    validate_frame(MIXED, suite(*row_level(), *aggregates()))
    assert capfd.readouterr() == ("", "")


def test_a_result_is_json_and_a_page() -> None:
    result: Any = validate_frame(MIXED, suite(*row_level(), *aggregates()), result_format="COMPLETE")
    assert json.loads(json.dumps(result.to_json_dict()))["suite_name"] == "suite"
    view: Any = DefaultJinjaPageView()
    assert "Data documentation compiled by" in view.render(ValidationResultsPageRenderer().render(result))


def test_a_file_is_read_where_it_lies(tmp_path: Any) -> None:
    MIXED.write_parquet(tmp_path / "rows.parquet")
    [result] = validate_frame(
        pl.scan_parquet(tmp_path / "rows.parquet"), suite(gxe.ExpectColumnValuesToBeUnique(column="j"))
    ).results
    assert result.result["unexpected_count"] == 5


def test_dates_in_a_suite_are_text(tmp_path: Any) -> None:
    del tmp_path
    moment = pl.col("t").dt
    frame = MIXED.with_columns(d=moment.date(), z=moment.replace_time_zone("Europe/Paris"))
    bounds = {"min_value": "2024-02-29", "max_value": "2024-02-29 23:59:59"}
    result = validate_frame(
        frame,
        suite(
            *[gxe.ExpectColumnValuesToBeBetween(column=name, **bounds) for name in "tdz"],
            gxe.ExpectColumnValuesToBeInSet(column="d", value_set=["2024-02-29"]),
            gxe.ExpectColumnValuesToBeInSet(column="z", value_set=["2024-02-29 12:00"]),
            gxe.ExpectColumnMaxToBeBetween(column="t", max_value="2024-03-02 00:00:01"),
        ),
    )
    assert [r.result.get("unexpected_count") for r in result.results] == [1, 1, 1, 1, 1, None]
    assert result.results[-1].success


@pytest.mark.parametrize("name", ["*", "^i.*$", "a*", "`", "", "日本", "a b", "<script>", '"'])
def test_a_column_may_have_any_name(name: str) -> None:
    frame = pl.DataFrame({name or " ": [1, 1, None], "i": [1, 2, 3], "ab": [1, 2, 3]})
    expectations = [
        gxe.ExpectColumnValuesToBeUnique(column=name or " ", row_condition=Column(name or " ") == 1),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=[name or " ", "i"]),
        gxe.ExpectColumnMaxToBeBetween(column=name or " ", max_value=1),
    ]
    result = validate_frame(frame.lazy(), suite(*expectations), result_format="COMPLETE")
    assert [raised(r) for r in result.results] == [False] * 3
    assert [r.success for r in result.results] == [False, True, True]


def test_the_result_format_is_left_as_it_was() -> None:
    result_format = {"result_format": "COMPLETE"}
    validate_frame(MIXED, suite(gxe.ExpectColumnValuesToBeUnique(column="i")), result_format=result_format)
    assert result_format == {"result_format": "COMPLETE"}


ODD = pl.DataFrame(
    {
        "decimal": [Decimal("1.10"), Decimal("2.20"), None, Decimal("1.10")],
        "category": pl.Series(["a", "b", None, "a"], dtype=pl.Categorical),
        "small": pl.Series([2, 1, None, 200], dtype=pl.UInt8),
        "huge": pl.Series([2**63 + 5, 1, 2, 2], dtype=pl.UInt64),
        "duration": [dt.timedelta(1), None, dt.timedelta(2), dt.timedelta(1)],
        "nothing": pl.Series([None] * 4, dtype=pl.Null),
        "list": [[1], [2], None, [1]],
        "day": [dt.date(2024, 1, 1), None, dt.date(2024, 1, 2), dt.date(2024, 1, 1)],
        "infinite": [float("inf"), -float("inf"), 1.0, None],
    }
)


@pytest.mark.parametrize(
    ("expectation", "unexpected"),
    [
        (gxe.ExpectColumnValuesToBeInSet(column="decimal", value_set=[1.1, "1.1", 2.204]), 1),
        (gxe.ExpectColumnValuesToBeInSet(column="category", value_set=["a"]), 1),
        (gxe.ExpectColumnValuesToBeInSet(column="day", value_set=["2024-01-01", 5]), 1),
        (gxe.ExpectColumnValuesToBeBetween(column="infinite", min_value=0), 1),
        (gxe.ExpectColumnValuesToBeUnique(column="duration"), 2),
        (gxe.ExpectColumnValuesToBeUnique(column="list"), 2),
        (gxe.ExpectColumnValuesToBeUnique(column="nothing"), 0),
        (gxe.ExpectColumnValuesToBeIncreasing(column="small"), 1),
        (gxe.ExpectColumnValuesToBeIncreasing(column="huge"), 1),
        (gxe.ExpectColumnValuesToMatchRegex(column="small", regex=r"^\d$"), 1),
        (gxe.ExpectCompoundColumnsToBeUnique(column_list=["decimal", "category", "decimal"]), 2),
    ],
    ids=lambda value: getattr(value, "expectation_type", None),
)
def test_columns_of_unusual_types_are_judged_by_their_values(expectation: Any, unexpected: int) -> None:
    result: Any = validate_frame(ODD, suite(expectation), result_format="COMPLETE")
    assert result.results[0].result["unexpected_count"] == unexpected
    assert json.dumps(result.to_json_dict())


@pytest.mark.parametrize(
    "expectation",
    [
        gxe.ExpectColumnValuesToBeBetween(column="duration", min_value=1),
        gxe.ExpectColumnValuesToBeBetween(column="day", max_value=1),
        gxe.ExpectColumnValuesToNotBeInSet(column="day", value_set=["tomorrow"]),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="day", column_B="small"),
        gxe.ExpectMulticolumnSumToEqual(column_list=["day", "small"], sum_total=1),
        gxe.ExpectColumnValuesToMatchRegex(column="list", regex="1"),
        gxe.ExpectColumnValuesToMatchRegex(column="category", regex="("),
        gxe.ExpectColumnSumToBeBetween(column="category", min_value=0),
    ],
    ids=lambda expectation: f"{expectation.expectation_type}",
)
def test_what_cannot_be_compared_fails_loudly(expectation: Any) -> None:
    [result] = validate_frame(ODD, suite(expectation)).results
    assert raised(result)
    assert result.success is False
