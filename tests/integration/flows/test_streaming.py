"""Streamable pipelines: rows reach staging while more records come, and nothing else changes by it."""

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import psycopg
import pytest
from msgspec import Struct
from polars.testing import assert_frame_equal

from flows.streaming import ResourceStream
from tasks.errors import ConfigurationError
from tasks.handover import Load, Transformed
from tasks.load.connection import open_connection
from tasks.load.load import Target
from tasks.load.staging import ensure_statistics, prepare_staging
from tasks.pipeline import Frames, Pipeline, Resource, RestApi, Table
from tasks.transform.transform import transform_batch

RECORDS = pl.DataFrame({"id": list(range(90)), "n": [n % 7 for n in range(90)]})
STAGED = "SELECT tablename FROM pg_tables WHERE schemaname = 'assay_staging'"

CONNECTIONS = (
    "SELECT pid FROM pg_stat_activity "
    "WHERE application_name = 'assay' AND datname = current_database() AND pid <> pg_backend_pid()"
)


class Order(Struct, frozen=True):
    id: int


def shorten(frames: Frames) -> Frames:
    return {
        name: frame.filter(pl.col("n") != 3).with_columns(m=pl.col("n") * 2) for name, frame in frames.items()
    }


def break_late(frames: Frames) -> Frames:
    late = pl.when(pl.col("id") >= 40).then(pl.lit("x")).otherwise(pl.lit("1"))
    return {"orders": frames["orders"].with_columns(late.cast(pl.Int64).alias("late"))}


def make_pipeline(transform: Callable[[Frames], Frames] = shorten) -> Pipeline:
    return Pipeline(
        name="shop",
        source=RestApi(base_url="http://127.0.0.1:1"),
        resources=(Resource(name="orders", path="/", record=Order),),
        transform=transform,
        streamable=True,
        tables=(Table(name="orders", primary_key=("id",)),),
    )


@pytest.fixture
def load(dsn: str, tmp_path: Path) -> Load:
    with open_connection(dsn) as conn:
        prepare_staging(conn)
    return Load(
        load_id="shop-1-abc",
        attempt_no=1,
        pipeline="shop",
        cursors={},
        landing=str(tmp_path / "raw"),
        work=str(tmp_path / "work"),
        started_at=dt.datetime.now(dt.UTC),
    )


def open_stream(dsn: str, load: Load, transform: Callable[[Frames], Frames] = shorten) -> ResourceStream:
    pipeline = make_pipeline(transform)
    stream = ResourceStream(pipeline, pipeline.resources[0], load, Target(dsn))
    stream.begin()
    return stream


def pour(stream: ResourceStream, size: int, records: pl.DataFrame = RECORDS) -> Transformed:
    """All records through a stream, in parts of this size."""
    for part in records.iter_slices(size):
        stream.write(part)
    (table,) = stream.finish()
    return table


def query(dsn: str, text: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as conn:
        return conn.execute(text.encode()).fetchall()


def wait_for_the_end_of(connections: str, dsn: str) -> None:
    for _ in range(100):  # the server learns of it a moment later
        if not (open_ones := query(dsn, connections)):
            break
        time.sleep(0.05)
    assert open_ones == []


@pytest.mark.parametrize("size", [1, 13, 45])
def test_in_parts_of_any_size_the_rows_are_those_of_the_whole(dsn: str, load: Load, size: int) -> None:
    stream = open_stream(dsn, load)
    table = pour(stream, size)
    stream.close()

    whole = transform_batch(make_pipeline(), "orders", RECORDS)["orders"]
    assert (table.row_count, table.is_staged) == (whole.height, True)
    assert_frame_equal(pl.read_parquet(table.rows), whole)
    assert query(dsn, "SELECT * FROM assay_staging.abc_orders ORDER BY id") == whole.rows()


def test_the_statistics_are_those_of_all_parts_whoever_makes_them_first(dsn: str, load: Load) -> None:
    stream = open_stream(dsn, load)
    table = pour(stream, 20)
    stream.close()
    declared = make_pipeline().table("orders")
    with open_connection(dsn) as conn:
        ensure_statistics(conn, "abc_orders", declared, table.row_count, statement_timeout_s=60)
    known = "SELECT reltuples::int8 FROM pg_class WHERE relname = 'abc_orders'"
    assert query(dsn, known) == [(table.row_count,)]


def test_a_new_table_is_keyed_early_unless_rows_share_a_key(dsn: str, load: Load) -> None:
    keys = (
        "SELECT count(*) FROM pg_index WHERE indrelid = 'assay_staging.abc_orders'::regclass AND indisunique"
    )
    for doubled, indices in ((RECORDS, 1), (RECORDS.vstack(RECORDS.head(1)), 0)):
        stream = open_stream(dsn, load)
        table = pour(stream, 20, doubled)
        stream.close()
        wait_for_the_end_of(CONNECTIONS, dsn)
        assert query(dsn, keys) == [(indices,)]
        assert query(dsn, "SELECT count(*) FROM assay_staging.abc_orders") == [(table.row_count,)]


def test_a_single_part_is_left_for_the_stage_step(dsn: str, load: Load) -> None:
    stream = open_stream(dsn, load)
    table = pour(stream, RECORDS.height)
    stream.close()
    assert not table.is_staged
    assert query(dsn, STAGED) == []


def test_records_that_come_once_more_replace_those_before(dsn: str, load: Load) -> None:
    """As when the schema is outgrown, or when the step is tried again."""
    stream = open_stream(dsn, load)
    for part in RECORDS.iter_slices(20):
        stream.write(part)
    stream.begin()
    table = pour(stream, 20, RECORDS.head(40))
    stream.close()
    rows = pl.read_parquet(table.rows).height
    assert query(dsn, "SELECT count(*) FROM assay_staging.abc_orders") == [(rows,)]
    assert rows == table.row_count < 40


def test_a_transform_that_fails_on_a_later_part_ends_the_stream(dsn: str, load: Load) -> None:
    stream = open_stream(dsn, load, break_late)
    with pytest.raises(ConfigurationError, match=r"one resource at a time \(streamable=True\), fails"):
        pour(stream, 20)
    stream.close()


def test_other_columns_in_a_later_part_are_refused_by_name(dsn: str, load: Load) -> None:
    def guess(frames: Frames) -> Frames:
        records = frames["orders"].collect()
        kind = pl.Int64 if records["id"].min() == 0 else pl.String
        return {"orders": records.lazy().with_columns(pl.col("n").cast(kind))}

    stream = open_stream(dsn, load, guess)
    with pytest.raises(ConfigurationError, match=r"returns other columns for one part than for another: n\."):
        pour(stream, 30)
    stream.close()


def test_a_transform_of_two_resources_is_told_that_it_gets_one(dsn: str, load: Load) -> None:
    stream = open_stream(dsn, load, lambda frames: {"orders": frames["customers"]})
    stream.write(RECORDS)
    with pytest.raises(ConfigurationError, match=r"one resource at a time.*KeyError: 'customers'"):
        stream.finish()
    stream.close()


def test_a_value_that_postgres_cannot_hold_is_named_with_its_table(dsn: str, load: Load) -> None:
    stream = open_stream(
        dsn, load, lambda frames: {"orders": frames["orders"].with_columns(t=pl.lit("a\0b"))}
    )
    with pytest.raises(ConfigurationError, match="orders: Postgres cannot hold a value"):
        pour(stream, 30)
    stream.close()


def test_a_stream_that_is_closed_in_between_takes_nothing_more_and_leaves_no_connection(
    dsn: str, load: Load
) -> None:
    stream = open_stream(dsn, load)
    for part in RECORDS.iter_slices(10):
        stream.write(part)
    stream.close()
    stream.close()
    staged = query(dsn, "SELECT count(*) FROM assay_staging.abc_orders")
    wait_for_the_end_of(CONNECTIONS, dsn)
    assert query(dsn, "SELECT count(*) FROM assay_staging.abc_orders") == staged
    with pytest.raises(RuntimeError, match="after shutdown"):
        stream.write(RECORDS)
