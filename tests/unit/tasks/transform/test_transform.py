"""Transform: the pipeline's own function, and what is said when it does not do what it should."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from msgspec import Struct
from polars.testing import assert_frame_equal

from tasks.errors import ConfigurationError, DataQualityError
from tasks.handover import Extracted, Load
from tasks.pipeline import Frames, Pipeline, Resource, RestApi, Table
from tasks.transform.transform import transform_tables

ROWS = pl.DataFrame({"id": [1, 2, 3], "v": ["a", "b", None]})


class Order(Struct, frozen=True):
    id: int


def run(
    work: Path, transform: Callable[[Frames], Any], frame: pl.DataFrame = ROWS, **table: Any
) -> pl.DataFrame:
    """The rows of the table `orders` that a function makes of a resource in two parts."""
    folder = work / "orders"
    folder.mkdir(parents=True)
    half = frame.height // 2
    frame.head(half).write_parquet(folder / "part-00001.parquet")
    frame.tail(frame.height - half).write_parquet(folder / "part-00002.parquet")
    pipeline = Pipeline(
        name="shop",
        source=RestApi(base_url="http://127.0.0.1:1"),
        resources=(Resource(name="orders", path="/", record=Order),),
        transform=transform,
        tables=(Table(**({"name": "orders", "primary_key": ("id",)} | table)),),
    )
    load = Load(
        load_id="l",
        attempt_no=1,
        pipeline="shop",
        cursors={},
        landing="",
        work=str(work),
        started_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )
    extracted = Extracted(resource="orders", frames=str(folder), received=3, decoded=3)
    made = transform_tables(pipeline, load, [extracted])
    assert list(made) == ["orders"]
    rows = pl.read_parquet(made["orders"].rows, glob=False)
    assert made["orders"].row_count == rows.height
    return rows


def raise_zero_division(*_: Any) -> Any:
    raise ZeroDivisionError("division by nothing")


def with_column(expr: pl.Expr) -> Callable[[Frames], Frames]:
    return lambda frames: {"orders": frames["orders"].with_columns(expr)}


def test_all_parts_become_one_file_in_order(tmp_path: Path) -> None:
    assert_frame_equal(run(tmp_path, with_column(pl.col("id") * 2)), ROWS.with_columns(pl.col("id") * 2))


@pytest.mark.parametrize("name", ["a[1]", "a*", "key=value", "a b", "{x}"])
def test_work_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    assert_frame_equal(run(tmp_path / name, dict), ROWS)


def test_table_without_rows_keeps_its_schema(tmp_path: Path) -> None:
    made = run(tmp_path, with_column(pl.col("v").cast(pl.Categorical)), ROWS.clear())
    assert made.schema == pl.Schema({"id": pl.Int64(), "v": pl.Categorical()})


@pytest.mark.parametrize(
    ("transform", "problem"),
    [
        (raise_zero_division, "the transform fails: ZeroDivisionError: division by nothing"),
        (lambda frames: frames["absent"], "the transform fails: KeyError: 'absent'"),
        (lambda _: None, "the transform returns a NoneType, not a dict of LazyFrames"),
        (lambda frames: [frames["orders"]], "the transform returns a list, not a dict"),
        (lambda frames: frames["orders"], "the transform returns a LazyFrame, not a dict"),
        (lambda _: {}, "returns []; missing: ['orders'], not declared as tables: none"),
        (lambda f: {**f, "x": f["orders"], 1: f["orders"]}, "not declared as tables: [1, 'x']"),
        (
            lambda frames: {"orders": frames["orders"].collect()},
            "returns a DataFrame for table 'orders', not a LazyFrame: end with .lazy()",
        ),
        (lambda _: {"orders": None}, "returns a NoneType for table 'orders', not a LazyFrame"),
        (
            lambda frames: {"orders": frames["orders"].select("v")},
            ("orders: the transform returns no column 'id', declared as key, version or tombstone. "
            "It returns: v"),
        ),
        (with_column(pl.col("absent")), "the transform, for table 'orders', fails: ColumnNotFoundError"),
        (with_column(pl.col("v").cast(pl.Int64)), "for table 'orders', fails: InvalidOperationError"),
        (
            with_column(pl.col("id").map_elements(raise_zero_division, return_dtype=pl.Int64)),
            "for table 'orders', fails: ZeroDivisionError: division by nothing",
        ),
        (
            lambda frames: {"orders": frames["orders"].map_batches(raise_zero_division)},
            "for table 'orders', fails: ZeroDivisionError: division by nothing",
        ),
        (with_column(pl.lit(1).alias("__assay_row")), "reserved names, '__assay_row'. Rename them"),
        (with_column(pl.lit(1).alias("*")), "columns with reserved names, '*'. Rename them"),
        (with_column(pl.lit(1).alias("^id$")), "columns with reserved names, '^id$'. Rename them"),
    ],
)  # fmt: skip
def test_function_that_does_not_deliver_is_told_where_and_why(
    tmp_path: Path, transform: Callable[[Frames], Any], problem: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        run(tmp_path, transform)
    message = str(caught.value)
    assert message.startswith("shop: ")
    assert problem in message
    assert message.endswith(f"Correct {transform.__qualname__} in {transform.__module__}.")


def test_version_must_be_there_and_have_an_order(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no column 'updated_at'"):
        run(tmp_path / "1", dict, version_by="updated_at")
    with pytest.raises(ConfigurationError, match=r"version_by 'v' is List.*which has no greatest value"):
        run(tmp_path / "2", with_column(pl.col("v").implode().over("id")), version_by="v")


def test_error_of_the_pipelines_own_keeps_its_class(tmp_path: Path) -> None:
    def refuse(_: Frames) -> Frames:
        raise DataQualityError("no orders on a Monday")

    with pytest.raises(DataQualityError, match="no orders on a Monday"):
        run(tmp_path, refuse)


def test_cause_is_chained(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        run(tmp_path, raise_zero_division)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
