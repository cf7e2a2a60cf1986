"""The main job on all of the real data: a first load, a second, and one after 100 corrections.

The story is run once; the tests state what must be true of it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import Any

import pytest

from deployments.local.api.server import DemoApi
from deployments.local.api.stats import Served
from tests.acceptance.conftest import World
from tests.acceptance.source import (
    COLUMNS,
    WHOLE_DAILY_DELAYS,
    hash_rows,
    read_source,
    read_table,
)

ROW_VERSIONS = "SELECT sum(hashtext(xmin::text || ctid::text)) FROM {}"
DAILY_DELAYS = "SELECT * FROM daily_delays ORDER BY flight_date, carrier"


@dataclass
class Story:
    """What was seen after each of the three runs."""

    world: World
    first: CompletedProcess[str]
    table_hashes: dict[str, str]
    quarantine: list[tuple[Any, ...]]
    daily_delays: tuple[list[Any], list[Any]]
    second: CompletedProcess[str]
    versions: tuple[list[Any], list[Any]]
    asked_by_second: list[Served]
    third: CompletedProcess[str]
    corrected: list[tuple[Any, ...]]
    untouched: tuple[list[Any], list[Any]]
    daily_delays_after: tuple[list[Any], list[Any]]


@pytest.fixture(scope="module")
def story(module_dsn: str, tmp_path_factory: pytest.TempPathFactory, shared_api: DemoApi) -> Iterator[Story]:
    shared_api.state.reset()
    world = World(module_dsn, tmp_path_factory.mktemp("whole-year"), shared_api)
    corrected = _pick_departed(100)
    ids = ",".join(map(str, corrected))
    untouched = f"SELECT sum(hashtext(t::text)) FROM flights t WHERE id NOT IN ({ids})"

    first = world.run("run", "--timings")
    assert first.returncode == 0, first.stderr
    hashes = {table: hash_rows(read_table(world.dsn, table)) for table in COLUMNS}
    quarantine = world.query("SELECT table_name, row, reasons FROM assay.quarantine ORDER BY table_name")
    delays = world.query(DAILY_DELAYS), world.query(WHOLE_DAILY_DELAYS)

    versions = [world.query(ROW_VERSIONS.format(table)) for table in (*COLUMNS, "daily_delays")]
    shared_api.state.stats.clear()
    second = world.run()
    asked = shared_api.state.stats.describe()["requests"]
    versions_after = [world.query(ROW_VERSIONS.format(table)) for table in (*COLUMNS, "daily_delays")]

    untouched_before = world.query(untouched)
    world.control("correct", resource="flights", ids=corrected, set={"dep_delay": 1000})
    third = world.run()
    yield Story(
        world,
        first,
        hashes,
        quarantine,
        delays,
        second,
        (versions, versions_after),
        asked,
        third,
        world.query(
            f"SELECT count(*), min(dep_delay_min), max(dep_delay_min) FROM flights WHERE id IN ({ids})"
        ),
        (untouched_before, world.query(untouched)),
        (world.query(DAILY_DELAYS), world.query(WHOLE_DAILY_DELAYS)),
    )
    shared_api.state.reset()


def _pick_departed(count: int) -> list[int]:
    """Ids of flights all over the year that did depart: a delay of a cancelled one would be quarantined."""
    at = list(COLUMNS["flights"]).index("dep_hhmm")
    departed = sorted(int(str(row[0])) for row in read_source("flights") if row[at] is not None)
    return departed[:: len(departed) // count][:count]


@pytest.mark.parametrize("table", COLUMNS)
def test_table_holds_exactly_the_source_but_its_false_rows(story: Story, table: str) -> None:
    source = read_source(table)

    assert story.table_hashes[table] == hash_rows(source), f"{len(source)} rows are in the source"


def test_reporting_table_equals_the_whole_aggregate(story: Story) -> None:
    computed, whole = story.daily_delays

    assert len(whole) == 5432
    assert computed == whole


def test_false_rows_are_in_quarantine_with_their_reason(story: Story) -> None:
    wind = [(row, reasons) for table, row, reasons in story.quarantine if row.get("wind_speed_mph", 0) > 1000]

    assert [table for table, _, _ in story.quarantine] == ["airports"] * 3 + ["weather"] * 2
    assert len(wind) == 1
    assert wind[0][0]["wind_speed_mph"] == 1048.36058
    assert "wind_speed_mph: expect_column_values_to_be_between" in wind[0][1][0]


def test_summary_names_every_table_and_the_report(story: Story) -> None:
    assert "published" in story.first.stdout
    assert "336,776" in story.first.stdout
    assert "1048.36058" in story.first.stdout
    assert "index.html" in story.first.stdout


def test_timings_name_every_step_and_are_kept(story: Story) -> None:
    steps = ("open", "extract", "transform", "validate", "stage", "load", "publish")
    kept = story.world.query(
        "SELECT array_agg(DISTINCT step ->> 'step') FROM assay.attempts, jsonb_array_elements(timings) step "
        "GROUP BY load_id"
    )
    assert [set(names) for (names,) in kept] == [set(steps)] * 3
    assert "extract flights" in story.first.stdout
    assert "extract flights" not in story.second.stdout


def test_second_run_asks_only_for_what_changed(story: Story) -> None:
    assert len(story.asked_by_second) == 5
    assert all("updated_since" in request.params for request in story.asked_by_second)


def test_second_run_says_no_new_rows_and_changes_none(story: Story) -> None:
    before, after = story.versions

    assert story.second.returncode == 0, story.second.stderr
    assert "no new rows" in story.second.stdout
    assert after == before


def test_corrected_rows_are_updated_and_no_others(story: Story) -> None:
    before, after = story.untouched

    assert story.third.returncode == 0, story.third.stderr
    assert story.corrected == [(100, 1000, 1000)]
    assert after == before
    assert re.search(r"flights +100 +0 +100 +0 +0 ", story.third.stdout)


def test_reporting_table_equals_the_whole_aggregate_after_corrections(story: Story) -> None:
    computed, whole = story.daily_delays_after

    assert computed == whole
    assert computed != story.daily_delays[0]
