"""Assets that read files: paths, options, what is saved, and what is said when a file is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import great_expectations as gx
import polars as pl
import pytest
from great_expectations.compatibility.pydantic import ValidationError
from great_expectations.exceptions.exceptions import BuildBatchRequestError

from expectations.engine import AssetError
from expectations.engine.schemas import schema_from_text, schema_to_text
from tests.unit.expectations.engine.frames import gxe

ROWS = pl.DataFrame(
    {
        "id": [1, 2, 3],
        "name": ["ä", None, "c;d"],
        "at": ["2024-01-01T00:00", "2024-01-02T00:00", "2024-01-03T00:00"],
    }
)
FIRST = gxe.ExpectColumnValuesToBeBetween(column="id", max_value=2)


@pytest.fixture
def context(tmp_path: Path) -> Any:
    return open_context(tmp_path)


def open_context(folder: Path) -> Any:
    context: Any = gx.get_context(mode="file", project_root_dir=folder / "project")
    context.variables.progress_bars = {"globally": False}
    return context


@pytest.fixture
def files(context: Any) -> Any:
    return context.data_sources.add_polars("files")


def unexpected_ids(asset: Any, options: dict[str, Any] | None = None) -> Any:
    batch = asset.get_batch(asset.build_batch_request(options))
    return batch.validate(FIRST, result_format="COMPLETE").result["unexpected_list"]


def write(kind: str, path: Path, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    getattr(ROWS, f"write_{kind}")(path, **options)
    return path


@pytest.mark.parametrize("kind", ["parquet", "csv", "ndjson"])
def test_files_of_a_glob_are_one_batch(files: Any, tmp_path: Path, kind: str) -> None:
    for name in ("one", "two"):
        write(kind, tmp_path / f"{name}.data")
    asset = getattr(files, f"add_{kind}_asset")("rows", tmp_path / "*.data")
    assert unexpected_ids(asset) == [3, 3]


def test_options_reach_polars_and_survive_a_restart(files: Any, tmp_path: Path) -> None:
    write("csv", tmp_path / "rows.csv", separator=";")
    types = {"id": pl.Int16, "at": pl.Datetime("ms")}
    asset = files.add_csv_asset("rows", tmp_path / "rows.csv", separator=";", schema_overrides=types)
    asset.add_batch_definition_whole_path("all")
    again: Any = open_context(tmp_path).data_sources.get("files").get_asset("rows")
    assert again.json() == asset.json()
    batch = again.get_batch_definition("all").get_batch()
    assert batch.data.dataframe.collect_schema() == {
        "id": pl.Int16,
        "name": pl.String,
        "at": pl.Datetime("ms"),
    }


def test_hive_partitions_are_columns(files: Any, tmp_path: Path) -> None:
    for year in (2023, 2024):
        write("parquet", tmp_path / f"rows/year={year}/part.parquet")
    asset = files.add_parquet_asset(
        "rows", tmp_path / "rows", hive_partitioning=True, hive_schema={"year": pl.Int16}
    )
    batch = asset.get_batch(asset.build_batch_request())
    assert batch.validate(
        gxe.ExpectColumnDistinctValuesToEqualSet(column="year", value_set=[2023, 2024])
    ).success


def test_names_in_braces_are_batch_parameters(files: Any, tmp_path: Path) -> None:
    write("parquet", tmp_path / "2024-01.parquet")
    asset = files.add_parquet_asset("rows", tmp_path / "{year}-{month:02}.parquet")
    assert unexpected_ids(asset, {"year": 2024, "month": 1}) == [3]
    with pytest.raises(BuildBatchRequestError, match="are 'year', 'month', not 'year'"):
        asset.build_batch_request({"year": 2024})
    with pytest.raises(AssetError, match=r"no '.*2023-01.parquet'.* Did you mean '.*2024-01.parquet'"):
        unexpected_ids(asset, {"year": 2023, "month": 1})


def test_variables_are_filled_in_but_not_stored(
    files: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("csv", tmp_path / "rows.csv", separator="|")
    monkeypatch.setenv("ROWS_FOLDER", str(tmp_path))
    monkeypatch.setenv("ROWS_SEPARATOR", "|")
    asset = files.add_csv_asset("rows", "${ROWS_FOLDER}/rows.csv", separator="$ROWS_SEPARATOR")
    batch = asset.get_batch(asset.build_batch_request())
    assert unexpected_ids(asset) == [3]
    assert batch.batch_spec == {
        "path": "${ROWS_FOLDER}/rows.csv",
        "reader_method": "scan_csv",
        "reader_options": {"separator": "$ROWS_SEPARATOR"},
    }
    assert "ROWS_SEPARATOR" in (tmp_path / "project/gx/great_expectations.yml").read_text()


def test_a_batch_shows_its_head_and_columns(files: Any, tmp_path: Path) -> None:
    asset = files.add_parquet_asset("rows", write("parquet", tmp_path / "rows.parquet"))
    batch = asset.get_batch(asset.build_batch_request())
    assert batch.columns() == ROWS.columns
    assert batch.head(2).data["id"].to_list() == [1, 2]
    assert batch.head(-1).data["id"].to_list() == [1, 2]
    assert batch.head(fetch_all=True).data["id"].to_list() == [1, 2, 3]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("rosw.csv", r"files\.new: there is no '.*rosw.csv'\. Did you mean '.*rows.csv'\?"),
        ("*.parquet", r"no file matches '.*\*.parquet'"),
        ("deep/down/rows.csv", r"there is no '.*deep/down/rows.csv'\.$"),
    ],
)
def test_a_path_without_files_is_refused_at_once(files: Any, tmp_path: Path, path: str, message: str) -> None:
    write("csv", tmp_path / "rows.csv")
    with pytest.raises(AssetError, match=message):
        files.add_csv_asset("new", tmp_path / path)
    assert not files.assets


def test_files_that_vanish_are_missed_by_name(files: Any, tmp_path: Path) -> None:
    path = write("csv", tmp_path / "rows.csv")
    asset = files.add_csv_asset("rows", path)
    path.unlink()
    with pytest.raises(AssetError, match=r"files.rows: there is no '.*rows.csv'"):
        unexpected_ids(asset)


def test_files_of_another_kind_are_refused(files: Any, tmp_path: Path) -> None:
    asset = files.add_parquet_asset("rows", write("csv", tmp_path / "rows.csv"))
    with pytest.raises(AssetError, match=r"files.rows: '.*rows.csv' cannot be read as parquet"):
        unexpected_ids(asset)


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("rows.csv", {"seperator": ";"}, "scan_csv has no option 'seperator'. Did you mean 'separator'?"),
        ("rows.csv", {"with_column_names": list}, "a configuration file cannot hold with_column_names"),
        ("rows.csv", {"schema": {"id": "Int65"}}, "'Int65' is no Polars type"),
        ("rows.csv", {"schema": {"id": "__import__('os').getcwd()"}}, "is no Polars type"),
        ("{}.csv", {}, "is no batch parameter"),
        (5, {}, "5 is no path"),
        ([], {}, "is no path"),
    ],
)
def test_wrong_settings_are_named(files: Any, path: Any, options: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        files.add_csv_asset("rows", path, **options)
    assert message in str(caught.value)


def test_every_type_is_read_from_its_text() -> None:
    schema = {
        "plain": pl.Int8(),
        "zoned": pl.Datetime("ns", "Europe/Berlin"),
        "exact": pl.Decimal(10, 2),
        "choice": pl.Enum(["a", "b'"]),
        "deep": pl.Struct({"a": pl.List(pl.Array(pl.Duration("ms"), 3)), "b c": pl.Categorical()}),
    }
    assert schema_from_text(schema_to_text(schema)) == schema
