"""Releasing quarantined rows: through today's gate, by a load of their own, and never over a newer row."""

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import polars as pl
import pytest
from pydantic import SecretStr

from flows.deciding import drop
from flows.ports import Ports
from flows.releasing import Released, release
from tasks.errors import ConfigurationError, DataQualityError
from tasks.load.load import record_failure
from tasks.ports import Audience
from tasks.settings import Settings
from tests.integration.tasks.load.builders import Shop, make_pipeline, make_report, make_table, with_reason

TOTALS = "SELECT colour, sum(price) AS price FROM affected JOIN items USING (colour) GROUP BY colour"
TOO_MANY = "SELECT * FROM {batch} WHERE (SELECT sum(price) FROM {batch}) > 1000"


def goods(*rows: tuple[int, int, float], colour: str = "red") -> pl.DataFrame:
    columns = {"id": pl.Int64(), "version": pl.Int64(), "price": pl.Float64()}
    frame = pl.DataFrame(list(rows), pl.Schema(columns), orient="row")
    return frame.with_columns(colour=pl.lit(colour))


def allow(folder: Path, price: float) -> None:
    """Today's suite: a price up to this one; and what no batch of a few rows could fulfil."""
    expectations: list[dict[str, Any]] = [
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {"column": "price", "max_value": price},
            "meta": {"quarantine": True},
        },
        {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 500}},
        {
            "type": "unexpected_rows_expectation",
            "kwargs": {"unexpected_rows_query": TOO_MANY},
            "meta": {"scope": "table"},
        },
    ]
    suite = {"name": "items", "expectations": expectations}
    (folder / "items.json").write_text(json.dumps(suite), encoding="utf-8")


@pytest.fixture(autouse=True)
def _without_helper() -> Iterator[None]:
    """Great Expectations is loaded here already."""
    with mock.patch("tasks.helper._Child", side_effect=OSError("not wanted here")):
        yield


@pytest.fixture
def shop(dsn: str, tmp_path: Path) -> Shop:
    """A good row, and two that are too dear in quarantine: 2, unknown so far, and a newer version of 1."""
    allow(tmp_path, 10)
    table = make_table(version_by="version", suite=str(tmp_path / "items"))
    report = make_report(tmp_path, TOTALS, "colour")
    shop = Shop(dsn, tmp_path, make_pipeline(table, reports=[report]))
    bad = goods((2, 1, 20), (1, 2, 90))
    shop.load(goods((1, 1, 5)), quarantine=with_reason(bad), cursor="2024-01-01T12:00:00+00:00")
    return shop


def let_in(shop: Shop, *numbers: int) -> Released:
    settings = Settings(home=shop.folder / "home", database_url=SecretStr(shop.dsn))
    audience = Audience(store=mock.Mock(), post_artifact=lambda _key, _text: None, emit=lambda _event: None)
    ports = Ports(settings, lambda name: name, audience, publish=lambda *_: {})
    return release(lambda _: shop.pipeline, numbers, "released by me: mended", ports)


def entries(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.query(
        "SELECT quarantine_id, closed_by, close_reason FROM assay.quarantine ORDER BY quarantine_id"
    )


def test_a_row_that_passes_todays_suite_is_loaded_with_all_that_follows_from_it(shop: Shop) -> None:
    allow(shop.folder, 50)
    cursors = shop.query("SELECT * FROM assay.cursors")
    released = let_in(shop, 1, 2)

    assert released.report is not None
    assert (released.report.status, released.report.load_id.count("-release-")) == ("published", 1)
    assert shop.rows() == [(1, 1, 5.0, "red"), (2, 1, 20.0, "red")]
    assert shop.rows("totals") == [("red", 25.0)]
    assert entries(shop) == [(1, released.report.load_id, "released by me: mended"), (2, None, None)]
    assert "price" in released.still_wrong[2]
    assert shop.query("SELECT * FROM assay.cursors") == cursors
    assert shop.query("SELECT FROM pg_tables WHERE schemaname = 'assay_staging'") == []


def test_rows_that_are_still_wrong_stay_and_nothing_is_recorded(shop: Shop) -> None:
    before = shop.snapshot(), shop.query("SELECT count(*) FROM assay.loads")
    released = let_in(shop, 1, 2)
    assert (released.report, list(released.still_wrong)) == (None, [1, 2])
    assert (shop.snapshot(), shop.query("SELECT count(*) FROM assay.loads")) == before


def test_a_release_never_overwrites_a_newer_row(shop: Shop) -> None:
    allow(shop.folder, 100)
    shop.execute("UPDATE items SET version = 3, price = 7 WHERE id = 1")
    released = let_in(shop, 2)
    assert released.report is not None
    assert shop.rows() == [(1, 3, 7.0, "red")]
    assert entries(shop)[1][1] == released.report.load_id


def test_an_older_row_is_not_released_before_a_newer_one_of_its_key(shop: Shop) -> None:
    allow(shop.folder, 100)
    shop.load(goods(), quarantine=with_reason(goods((1, 4, 95))))
    with pytest.raises(ConfigurationError, match=r"newer row of the same key .*entry 3"):
        let_in(shop, 2)
    with pytest.raises(ConfigurationError, match=r"Entries 2, 3 are rows of one key, \{\"id\":1\}"):
        let_in(shop, 2, 3)


def test_a_table_scoped_expectation_keeps_the_rows_out(shop: Shop) -> None:
    allow(shop.folder, 5000)
    shop.load(goods(), quarantine=with_reason(goods((9, 1, 4000))))
    before = shop.snapshot()
    with pytest.raises(DataQualityError, match="would break what is expected of it"):
        let_in(shop, 3)
    assert shop.snapshot() == before
    assert shop.begin().load_id.count("-release-") == 0  # the next run begins a load of its own


def test_a_rejected_record_is_not_released_and_the_way_is_told(shop: Shop) -> None:
    report = shop.load(goods(), rejected=[("$.id", "Expected `int`", '{"id": "x"}')])
    with pytest.raises(ConfigurationError, match=f"assay replay shop --load {report.load_id}"):
        let_in(shop, 3)


def test_a_table_that_every_load_replaces_takes_no_release(shop: Shop) -> None:
    table = shop.pipeline.tables[0].model_copy(update={"disposition": "replace", "version_by": None})
    shop.pipeline = make_pipeline(table, incremental=False)
    with pytest.raises(ConfigurationError, match="the next one would undo a release"):
        let_in(shop, 1)


def test_a_dropped_entry_is_closed_with_name_and_reason(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_DATABASE_URL", shop.dsn)
    drop([1], "no such thing")
    [(_, person, reason), (_, nobody, _)] = entries(shop)
    assert ("@" in person, reason, nobody) == (True, "no such thing", None)
    for decide in (lambda: drop([1], "again"), lambda: let_in(shop, 1)):
        with pytest.raises(ConfigurationError, match="Entry 1 is closed since"):
            decide()
    with pytest.raises(ConfigurationError, match="There is no entry 77 in quarantine"):
        let_in(shop, 77)


@pytest.mark.parametrize("disposition", ["append", "scd2"])
def test_every_disposition_that_keeps_rows_takes_a_release(
    dsn: str, tmp_path: Path, disposition: str
) -> None:
    allow(tmp_path, 100)
    keyless = {"primary_key": ()} if disposition == "append" else {"version_by": "version"}
    table = make_table(disposition=disposition, suite=str(tmp_path / "items"), **keyless)
    is_incremental = disposition != "append"
    shop = Shop(dsn, tmp_path, make_pipeline(table, incremental=is_incremental))
    shop.load(goods((1, 1, 5), (1, 3, 6)), quarantine=with_reason(goods((1, 2, 20))))
    let_in(shop, 1)
    rows = [row[:3] for row in shop.rows()]
    assert sorted(rows) == [(1, 1, 5.0), (1, 2, 20.0), (1, 3, 6.0)]
    if disposition == "scd2":
        assert sorted(row[-2:] for row in shop.rows()[:2]) == [(1, 2), (2, 3)]


def test_a_release_between_runs_neither_recovers_nor_hides_a_failure(shop: Shop) -> None:
    allow(shop.folder, 50)
    failed = shop.begin()
    record_failure(shop.target, failed, "the API is down")
    released = let_in(shop, 1)
    assert released.report is not None
    assert (released.report.status, released.report.recovered) == ("published", False)
    assert shop.load(goods((3, 1, 1))).recovered


def test_a_released_row_of_odd_types_is_the_row_that_was_diverted(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "items.json").write_text('{"name": "items", "expectations": []}', encoding="utf-8")
    table = make_table(suite=str(tmp_path / "items"), types={"id": "uuid"})
    shop = Shop(dsn, tmp_path, make_pipeline(table))
    number = "0190163D-8694-739B-AEA5-966C26F8AD90"
    row = pl.DataFrame(
        {
            "id": [number],
            "took": [dt.timedelta(hours=-25, microseconds=-1)],
            "blob": [b"\x00\xff"],
            "tags": [["a,b", None, '"']],
            "total": pl.Series([Decimal("12345678901234567890.10")], dtype=pl.Decimal(38, 2)),
            "object": [{"exact": Decimal("12345678901234567890.10"), "odd": float("nan")}],
            "day": pl.Series([-800_000], dtype=pl.Int32).cast(pl.Date),
        },
        schema_overrides={"object": pl.Struct({"exact": pl.Decimal(38, 2), "odd": pl.Float64()})},
    )
    wanted = "SELECT items::text FROM items WHERE id = '0190163d-8694-739b-aea5-966c26f8ad90'"
    shop.load(row)
    [loaded] = shop.query(wanted)
    shop.execute("DELETE FROM items")
    shop.load(row.clear(), quarantine=with_reason(row))

    assert let_in(shop, 1).still_wrong == {}
    assert shop.query(wanted) == [loaded]
    assert shop.load(row).tables[0].unchanged == 1
