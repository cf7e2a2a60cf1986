"""Queries in SQL over a frame, against GX's own on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import great_expectations as gx
import polars as pl
import pytest
from great_expectations.core import ExpectationSuite
from great_expectations.expectations.expectation import QueryExpectation
from great_expectations.metrics.column.sample_values import ColumnSampleValues
from great_expectations.metrics.column.values_match_regex_values import ColumnValuesMatchRegexValues
from great_expectations.metrics.column.values_not_match_regex_values import ColumnValuesNotMatchRegexValues

from expectations.engine import is_row_level, validate_frame
from tests.unit.expectations.engine.frames import gxe
from tests.unit.expectations.engine.oracle import raised

ROWS = pl.DataFrame(
    {
        "id": [1, 2, 3, 4, None],
        "g": ["x", "y", "x", None, "z"],
        "v": [1.5, None, float("nan"), -2.0, 9.25],
    }
)


@pytest.fixture(scope="module")
def context() -> Any:
    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context


@pytest.fixture(scope="module")
def on_polars(context: Any) -> Any:
    asset = context.data_sources.add_polars("frames").add_dataframe_asset("rows")
    return asset.get_batch(asset.build_batch_request({"dataframe": ROWS.lazy()}))


@pytest.fixture(scope="module")
def on_sqlite(context: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path = tmp_path_factory.mktemp("sqlite") / "rows.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE rows (id INTEGER, g TEXT, v REAL)")
    connection.executemany("INSERT INTO rows VALUES (?, ?, ?)", ROWS.fill_nan(None).rows())
    connection.commit()
    connection.close()
    source = context.data_sources.add_sqlite("database", connection_string=f"sqlite:///{path}")
    batch = (
        source.add_table_asset("rows", table_name="rows").add_batch_definition_whole_table("all").get_batch()
    )
    yield batch
    batch.data.execution_engine.close()
    source.get_execution_engine().engine.dispose()


QUERIES = [
    "SELECT * FROM {batch} WHERE id > 2",
    "SELECT * FROM {batch} WHERE 1 = 0",
    "SELECT id, v FROM {batch} WHERE v IS NULL ORDER BY id;",
    "SELECT g, COUNT(*) AS n FROM {batch} GROUP BY g HAVING COUNT(*) > 1",
    "SELECT id FROM {batch} WHERE g LIKE 'x%'",
    "WITH known AS (SELECT id FROM {batch} WHERE id IS NOT NULL) SELECT * FROM known WHERE id NOT IN (1, 2)",
    "SELECT a.id FROM {batch} a JOIN {batch} b ON a.g = b.g AND a.id < b.id",
    "-- a remark\nSELECT id FROM {batch} WHERE v = (SELECT MAX(v) FROM {batch})",
    "SELECT id, CASE WHEN v < 0 THEN 'low' ELSE 'high' END AS side FROM {batch} WHERE v IS NOT NULL",
    "SELECT nope FROM {batch}",
    "SELECT * FROM other",
    "SELEC 1",
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("result_format", ["BOOLEAN_ONLY", "SUMMARY", "COMPLETE"])
def test_unexpected_rows_are_those_of_sqlite(
    on_polars: Any, on_sqlite: Any, query: str, result_format: str
) -> None:
    expectation = gxe.UnexpectedRowsExpectation(unexpected_rows_query=query)
    ours = on_polars.validate(expectation, result_format=result_format)
    theirs = on_sqlite.validate(expectation, result_format=result_format)
    assert (ours.success, ours.result, raised(ours)) == (theirs.success, theirs.result, raised(theirs))


@pytest.mark.parametrize(
    ("base", "comparison"),
    [
        ("SELECT id, g FROM {batch}", "SELECT id, g FROM rows"),
        ("SELECT id, v FROM {batch} WHERE id > 2", "SELECT id, v FROM rows"),
        ("SELECT COUNT(*) AS n FROM {batch}", "SELECT 6 AS n"),
        ("SELECT * FROM {batch}", "SELECT * FROM nowhere"),
    ],
)
def test_a_comparison_gives_what_it_gives_on_sqlite(
    on_polars: Any, on_sqlite: Any, base: str, comparison: str
) -> None:
    expectation = gxe.ExpectQueryResultsToMatchComparison(
        base_query=base, comparison_data_source_name="database", comparison_query=comparison, mostly=0.5
    )
    ours = on_polars.validate(expectation, result_format="COMPLETE")
    theirs = on_sqlite.validate(expectation, result_format="COMPLETE")
    assert (ours.success, ours.result, raised(ours)) == (theirs.success, theirs.result, raised(theirs))


def test_a_comparison_reads_the_files_of_a_polars_source(
    context: Any, on_polars: Any, tmp_path: Path
) -> None:
    ROWS.write_parquet(tmp_path / "rows.parquet")
    context.data_sources.add_polars("files").add_parquet_asset("copies", tmp_path / "rows.parquet")
    expectation = gxe.ExpectQueryResultsToMatchComparison(
        base_query="SELECT id FROM {batch}",
        comparison_data_source_name="files",
        comparison_query="SELECT id FROM copies",
    )
    assert on_polars.validate(expectation).success


MESSAGES = [
    ("SELECT nope FROM {batch}", 'unable to find column "nope"; valid columns: ["id", "g", "v"]. Query:'),
    ("SELECT * FROM other", "relation 'other' was not found. It can read batch ({batch} is the batch)"),
    ("DROP TABLE batch", "It must read: begin with SELECT or WITH. Query: DROP TABLE batch"),
    ("DELETE FROM {batch}", "It must read"),
    ("SELECT * FROM {batch} WHERE g = '{x}'", "`x` is not a placeholder"),
    ("SELECT CAST(g AS INT) FROM {batch}", "conversion from `str` to `i32` failed"),
]


@pytest.mark.parametrize(("query", "message"), MESSAGES, ids=[query for query, _ in MESSAGES])
def test_a_wrong_query_is_an_error_that_says_so(query: str, message: str) -> None:
    result = validate(gxe.UnexpectedRowsExpectation(unexpected_rows_query=query))
    assert not result.success
    assert raised(result)
    assert message in str(result.exception_info)


def validate(*expectations: Any) -> Any:
    return validate_frame(ROWS, ExpectationSuite(name="suite", expectations=expectations)).results[0]


def test_rows_are_listed_up_to_gx_s_limit_and_counted_in_full() -> None:
    frame = pl.DataFrame({"n": range(500)})
    suite = ExpectationSuite(
        name="suite",
        expectations=[gxe.UnexpectedRowsExpectation(unexpected_rows_query="SELECT * FROM {batch}")],
    )
    [result] = validate_frame(frame, suite, result_format="COMPLETE").results
    assert result.result["observed_value"] == 500
    assert len(result.result["details"]["unexpected_rows"]) == 200


def test_a_query_names_no_single_rows() -> None:
    assert not is_row_level(gxe.UnexpectedRowsExpectation(unexpected_rows_query="SELECT * FROM {batch}"))


def test_another_table_is_an_error() -> None:
    result = validate(gxe.ExpectTableRowCountToEqualOtherTable(other_table_name="rows"))
    assert raised(result)
    assert "There is no table 'rows' beside a frame" in str(result.exception_info)


def test_a_comparison_with_an_unknown_source_is_an_error(on_polars: Any) -> None:
    expectation = gxe.ExpectQueryResultsToMatchComparison(
        base_query="SELECT 1", comparison_data_source_name="nowhere", comparison_query="SELECT 1"
    )
    assert "There is no data source 'nowhere'. There are:" in str(
        on_polars.validate(expectation).exception_info
    )


class ExpectNoTwins(QueryExpectation):
    """A query expectation of one's own, as GX documents it."""

    metric_dependencies = ("query.column",)
    success_keys = ("column", "query")
    column: str
    query: str = "SELECT {col} FROM {batch} WHERE {col} IS NOT NULL GROUP BY {col} HAVING COUNT(*) > 1"

    def _validate(self, metrics: Any, *_: Any, **__: Any) -> Any:
        return {"success": not metrics["query.column"], "result": {"observed_value": metrics["query.column"]}}


def test_a_query_expectation_of_one_s_own_runs() -> None:
    assert validate(ExpectNoTwins(column="g")).result == {"observed_value": [{"g": "x"}]}
    assert validate(ExpectNoTwins(column="id")).success


@pytest.mark.parametrize(
    "metric",
    [
        ColumnSampleValues(column="g", count=2),
        ColumnValuesMatchRegexValues(column="g", regex="[xy]", limit=2),
        ColumnValuesNotMatchRegexValues(column="g", regex="x", limit=2),
    ],
    ids=lambda metric: type(metric).__name__,
)
def test_lists_of_values_are_those_of_sqlite(on_polars: Any, on_sqlite: Any, metric: Any) -> None:
    assert on_polars.compute_metrics(metric).value == on_sqlite.compute_metrics(metric).value
