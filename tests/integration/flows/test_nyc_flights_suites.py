"""What is wrong in the real data, as the suites of `nyc_flights` find it. See docs/nyc_flights.md."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import psycopg
import pytest
from great_expectations.core import ExpectationSuite
from polars.testing import assert_frame_equal

from deployments.local.api.data import load_snapshots, read_frame
from expectations.engine import validate_frame
from flows.pipelines.nyc_flights import pipeline
from tasks.handover import Extracted, TableVerdict
from tasks.load.embedded import start_postgres
from tasks.settings import SUITES
from tasks.validate.gate import judge_table
from tasks.validate.suites import GatedSuite, find_suite, read_suite, split_suite

TABLES = [table.name for table in pipeline.tables]

# (table, expectation, column or columns, unexpected rows): everything that is not zero on the full data.
FINDINGS = [
    ("airports", "column_values_to_be_between", "lat_deg", 1),
    ("airports", "column_values_to_be_between", "lon_deg", 3),
    ("airports", "column_values_to_be_between", "utc_offset_h", 2),
    ("airports", "column_values_to_be_in_set", "dst", 9),
    ("airports", "column_values_to_be_in_set", "dst", 20),
    ("airports", "column_values_to_be_in_set", "tzone", 4),
    ("airports", "column_values_to_not_be_null", "tzone", 3),
    ("airports", "column_values_to_not_match_regex", "name", 22),
    ("flights", "column_values_to_be_between", "distance_mi", 1),
    ("flights", "column_values_to_be_between", "ground_speed_mph", 4),
    ("flights", "column_values_to_be_in_set", "is_cancelled", 8255),
    ("flights", "column_values_to_match_regex", "tailnum", 22754),
    ("flights", "column_values_to_not_be_null", "arr_delay_min", 1175),
    ("planes", "column_values_to_be_between", "seat_count", 80),
    ("planes", "column_values_to_be_between", "year_built", 1),
    ("planes", "column_values_to_be_in_set", "engine_count", 2),
    ("planes", "column_values_to_be_in_set", "engine_type", 535),
    ("planes", "column_values_to_be_in_set", "type", 30),
    ("planes", "column_values_to_not_be_null", "cruise_speed_mph", 3299),
    ("planes", "column_values_to_not_be_null", "year_built", 70),
    ("weather", "column_values_to_be_between", "temp_f", 1),
    ("weather", "column_values_to_be_between", "wind_speed_mph", 1),
    ("weather", "column_values_to_not_be_null", "pressure_mbar", 2729),
    ("weather", "column_values_to_not_be_null", "temp_f", 1),
    ("weather", "column_values_to_not_be_null", "wind_dir_deg", 460),
    ("weather", "column_values_to_not_be_null", "wind_speed_mph", 4),
]

# What a load says of the full data: rows diverted, and the expectations that the clean rows fail.
DIVERTED = {"airlines": 0, "airports": 3, "planes": 0, "weather": 2, "flights": 0}
FAILED = {
    "airlines": {},
    "airports": {"tzone": ["warning", "warning"], "dst": ["warning", "warning"], "name": ["info"]},
    "planes": {
        "year_built": ["warning"],
        "seat_count": ["warning"],
        "engine_count": ["warning"],
        "engine_type": ["info"],
        "type": ["warning"],
        "cruise_speed_mph": ["info"],
    },
    "weather": {"pressure_mbar": ["info"]},
    "flights": {"distance_mi": ["info"], "ground_speed_mph": ["warning"], "tailnum": ["info"]},
}


@pytest.fixture(scope="module")
def frames() -> Mapping[str, pl.LazyFrame]:
    records = {
        table: read_frame(table)
        .lazy()
        .with_columns(pl.col("^(time_hour|updated_at)$").str.to_datetime("%+", time_zone="UTC"))
        for table in TABLES
    }
    return {table: frame.collect().lazy() for table, frame in pipeline.transform(records).items()}


@pytest.fixture(scope="module")
def suites() -> Mapping[str, GatedSuite]:
    return {table: split_suite(read_suite(find_suite(table)), table) for table in TABLES}


@pytest.fixture(scope="module")
def database(
    tmp_path_factory: pytest.TempPathFactory, frames: Mapping[str, pl.LazyFrame]
) -> Iterator[psycopg.Connection]:
    """Flights and planes as tables, with the columns that the queries need."""
    flights = frames["flights"].select(
        "id", "flight_date", "carrier", "tailnum", "is_cancelled", "dep_delay_min"
    )
    with psycopg.connect(start_postgres(tmp_path_factory.mktemp("home"))) as connection:
        connection.execute(
            "CREATE TABLE flights (id bigint PRIMARY KEY, flight_date date, carrier text, tailnum text, "
            "is_cancelled boolean, dep_delay_min bigint)"
        )
        connection.execute("CREATE TABLE planes (tailnum text PRIMARY KEY)")
        copy_frame(connection, "COPY flights FROM STDIN (FORMAT csv)", flights)
        copy_frame(connection, "COPY planes FROM STDIN (FORMAT csv)", frames["planes"].select("tailnum"))
        yield connection


def copy_frame(connection: psycopg.Connection, command: str, frame: pl.LazyFrame) -> None:
    with connection.cursor().copy(command) as copy:
        copy.write(frame.collect().write_csv(include_header=False).encode())


def judge(table: str, frame: pl.LazyFrame, suites: Mapping[str, GatedSuite], folder: Path) -> TableVerdict:
    rows = folder / f"{table}.parquet"
    frame.sink_parquet(rows)
    count = frame.select(pl.len()).collect().item()
    extracted = Extracted(resource=table, frames="", received=count, decoded=count)
    return judge_table(pipeline.table(table), rows, suites[table], extracted, "updated_at", folder)


@pytest.mark.parametrize("table", TABLES)
def test_stock_great_expectations_reads_the_suite(table: str) -> None:
    content = json.loads((SUITES / f"{table}.json").read_text())
    suite = ExpectationSuite(name=content["name"], expectations=content["expectations"], meta=content["meta"])
    assert len(suite.expectations) == len(content["expectations"])
    stored: Any = suite.to_json_dict()["expectations"]
    for own, theirs in zip(content["expectations"], stored, strict=True):
        assert {key: theirs[key] for key in ("type", "meta", "severity")} == {
            key: own[key] for key in ("type", "meta", "severity")
        }


def test_full_data_holds_these_anomalies_and_no_others(
    frames: Mapping[str, pl.LazyFrame], suites: Mapping[str, GatedSuite]
) -> None:
    found = []
    for table, suite in suites.items():
        row_level = [*(d.expectation for d in suite.diverting), *suite.judging]
        results = validate_frame(frames[table], ExpectationSuite(name=table, expectations=row_level)).results
        for result in results:
            config = result.expectation_config
            assert config is not None
            kind = config.type.removeprefix("expect_")
            found.append((table, kind, config.kwargs.get("column"), result.result.get("unexpected_count", 0)))
    assert sorted(finding for finding in found if finding[-1]) == FINDINGS


@pytest.mark.parametrize("table", TABLES)
def test_full_load_passes_the_gate(
    frames: Mapping[str, pl.LazyFrame], suites: Mapping[str, GatedSuite], tmp_path: Path, table: str
) -> None:
    verdict = judge(table, frames[table], suites, tmp_path)
    failed: dict[str | None, list[str]] = {}
    for outcome in verdict.outcomes:
        assert not outcome.blocks, outcome
        assert outcome.state != "error", outcome
        if outcome.state == "failed":
            failed.setdefault(outcome.column, []).append(outcome.severity)
    assert verdict.quarantined == DIVERTED[table]
    assert failed == FAILED[table]


@pytest.mark.parametrize(
    ("day", "columns"),
    [(dt.date(2013, 2, 12), "wind_speed_mph"), (dt.date(2013, 5, 9), "temp_f")],
    ids=["1,048 mph", "degrees Celsius"],
)
def test_one_bad_row_of_a_day_is_diverted_within_its_budget(
    frames: Mapping[str, pl.LazyFrame],
    suites: Mapping[str, GatedSuite],
    tmp_path: Path,
    day: dt.date,
    columns: str,
) -> None:
    verdict = judge(
        "weather", frames["weather"].filter(pl.col("time_hour").dt.date() == day), suites, tmp_path
    )
    assert (verdict.transformed, verdict.quarantined, verdict.clean_count) == (72, 1, 71)
    assert not any(outcome.blocks for outcome in verdict.outcomes)
    assert [outcome.column for outcome in verdict.outcomes if outcome.state == "quarantined"] == [columns]


def test_a_broken_day_is_blocked(
    frames: Mapping[str, pl.LazyFrame], suites: Mapping[str, GatedSuite], tmp_path: Path
) -> None:
    day = frames["flights"].filter(pl.col("flight_date") == dt.date(2013, 3, 1))
    seconds = day.with_columns(dep_delay_min=pl.col("dep_delay_min") * 60)
    verdict = judge("flights", seconds, suites, tmp_path)
    assert verdict.verdict == "blocked"
    assert "dep_delay_min" in {outcome.column for outcome in verdict.outcomes if outcome.blocks}


def test_unknown_planes_are_counted_in_postgres(
    database: psycopg.Connection, suites: Mapping[str, GatedSuite]
) -> None:
    (check,) = suites["flights"].checks
    assert check.severity == "warning"
    unknown = database.execute(check.query.replace("{batch}", "flights")).fetchall()
    assert len(unknown) == 52_606
    assert sum(tailnum is None for *_, tailnum in unknown) == 2_512


def test_daily_delays_agree_with_polars(
    database: psycopg.Connection, frames: Mapping[str, pl.LazyFrame]
) -> None:
    report = pipeline.reports[0]
    database.execute("CREATE TEMP TABLE affected AS SELECT DISTINCT flight_date, carrier FROM flights")
    cursor = database.execute(report.sql.read_text().encode())
    assert cursor.description is not None
    names = [column.name for column in cursor.description]
    computed = pl.DataFrame(cursor.fetchall(), schema=names, orient="row", infer_schema_length=None)
    delay = pl.col("dep_delay_min")
    expected = (
        frames["flights"]
        .group_by(report.group_by)
        .agg(
            flights=pl.len().cast(pl.Int64),
            cancelled_flights=pl.col("is_cancelled").sum().cast(pl.Int64),
            mean_dep_delay_min=delay.mean(),
            p95_dep_delay_min=delay.quantile(0.95, interpolation="linear"),
        )
        .collect()
    )
    assert_frame_equal(computed, expected, check_row_order=False)


@pytest.mark.parametrize("resource", pipeline.resources, ids=lambda resource: resource.name)
def test_record_types_fit_all_records_and_no_looser(resource: Any) -> None:
    records = load_snapshots()[resource.name].records
    decoded = msgspec.json.decode(b"[" + b",".join(records) + b"]", type=list[resource.record])
    assert set(msgspec.json.decode(records[0])) == {f.name for f in msgspec.structs.fields(resource.record)}
    for field in msgspec.structs.fields(resource.record):
        assert field.required, field.name
        has_nulls = any(getattr(record, field.name) is None for record in decoded)
        assert has_nulls == (type(None) in getattr(field.type, "__args__", ())), field.name
