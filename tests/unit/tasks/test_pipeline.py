"""Declarations: a mistyped word is an error at import, and the fingerprint knows what matters."""

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct, field
from pydantic import ValidationError

from tasks.pipeline import (
    Bearer,
    Frames,
    Incremental,
    PageNumber,
    Pipeline,
    RateLimit,
    Report,
    Resource,
    RestApi,
    Table,
)


class Order(Struct, frozen=True):
    id: int
    note: str | None = None


class Wider(Order, frozen=True):
    total: float | None = None


class Stricter(Struct, frozen=True):
    id: int
    note: str | None


class Otherwise(Struct, frozen=True):
    id: int
    note: str | None = "none"


class Renamed(Struct, frozen=True):
    id: int = field(name="ID")
    note: str | None = None


def keep(frames: Frames) -> Frames:
    return frames


def make_resource(**declared: Any) -> Resource:
    defaults: dict[str, Any] = {"name": "orders", "path": "/orders", "record": Order}
    return Resource(**(defaults | declared))


def make_table(**declared: Any) -> Table:
    return Table(**({"name": "orders", "primary_key": ("id",)} | declared))


def make_pipeline(**declared: Any) -> Pipeline:
    defaults: dict[str, Any] = {
        "name": "shop",
        "source": RestApi(base_url="http://127.0.0.1:1"),
        "resources": (make_resource(),),
        "transform": keep,
        "tables": (make_table(),),
    }
    return Pipeline(**(defaults | declared))


def make_report(folder: Path, sql: str = "SELECT day FROM affected", **declared: Any) -> Report:
    file = folder / "report.sql"
    file.write_text(sql, encoding="utf-8")
    defaults: dict[str, Any] = {"name": "daily", "table": "orders", "sql": file, "group_by": ("day",)}
    return Report(**(defaults | declared))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"primary_kye": ("id",)}, "there is no field 'primary_kye'. Did you mean 'primary_key'?"),
        ({"versionby": "at"}, "Did you mean 'version_by'?"),
        ({"zzz": 1}, "Extra inputs are not permitted"),
        ({"primary_key": ()}, "merge needs a primary_key"),
        ({"primary_key": "id"}, "valid tuple"),
        ({"primary_key": ("id", "day", "id")}, "column declared twice: id"),
        ({"columns": "evolv"}, "'evolve' or 'freeze'"),
        ({"disposition": "upsert"}, "'append', 'merge', 'replace' or 'scd2'"),
        ({"max_quarantined": -1}, "greater than or equal to 0"),
    ],
)
def test_mistyped_table_is_an_error(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make_table(**change)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "name", ["", "Orders", "1st", "_orders", "or-ders", "or ders", 'o"', "bestellungen_für", "x" * 51, "a\n"]
)
def test_name_that_postgres_would_change_is_an_error(name: str) -> None:
    with pytest.raises(ValidationError, match="must be lower-case letters, digits and underscores"):
        make_table(name=name)


@pytest.mark.parametrize("name", ["o", "orders_2026", "x" * 50])
def test_plain_name_is_kept(name: str) -> None:
    assert make_table(name=name).suite_name == name


@pytest.mark.parametrize(
    ("model", "declared"),
    [
        (RestApi, {"base_url": "x", "connections": 0}),
        (RestApi, {"base_url": "x", "attempts": 0}),
        (RestApi, {"base_url": "x", "timeout_s": 0}),
        (RestApi, {"base_url": "x", "connect_timeout_s": -1}),
        (RateLimit, {"requests": 0}),
        (PageNumber, {"page_size": 0}),
        (Incremental, {"field": "at", "param": "since", "lag": dt.timedelta(-1)}),
        (Incremental, {"field": "at", "param": "since", "max_skew": dt.timedelta(-1)}),
        (Resource, {"name": "orders", "path": "/", "record": dict}),
        (Bearer, {"token": "written down"}),
    ],
)
def test_value_that_makes_no_sense_is_an_error(model: Any, declared: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model(**declared)


def test_declarations_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make_table().name = "other"


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"resources": (make_resource(), make_resource())}, "resource declared twice: orders"),
        ({"tables": (make_table(), make_table())}, "table declared twice: orders"),
        ({"tables": ()}, "at least 1 item"),
        ({"resources": ()}, "at least 1 item"),
        (
            {"tables": (make_table(source="order"),)},
            "table 'orders' reads resource 'order', not one of ['orders']",
        ),
    ],
)
def test_names_must_agree(declared: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make_pipeline(**declared)
    assert message in str(caught.value)


def test_report_must_read_a_table_and_have_a_name_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"report 'daily' reads table 'order', not one of"):
        make_pipeline(reports=(make_report(tmp_path, table="order"),))
    with pytest.raises(ValidationError, match="table declared twice: orders"):
        make_pipeline(reports=(make_report(tmp_path, name="orders"),))


@pytest.mark.parametrize("sql", ["SELECT day FROM orders", "SELECT unaffected FROM orders", ""])
def test_report_must_join_the_affected_groups(tmp_path: Path, sql: str) -> None:
    with pytest.raises(ValidationError, match="must join the relation 'affected'"):
        make_report(tmp_path, sql)


def test_report_without_its_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"absent\.sql: the query cannot be read: No such file"):
        Report(name="daily", table="orders", sql=tmp_path / "absent.sql", group_by=("day",))


CHANGES: dict[str, dict[str, Any]] = {
    "base_url": {"source": RestApi(base_url="http://127.0.0.1:2")},
    "secret": {"source": RestApi(base_url="http://127.0.0.1:1", auth=Bearer(secret="other"))},
    "path": {"resources": (make_resource(path="/v2/orders"),)},
    "params": {"resources": (make_resource(params={"state": "open"}),)},
    "paginator": {"resources": (make_resource(paginator=PageNumber(page_size=10)),)},
    "incremental": {"resources": (make_resource(incremental=Incremental(field="at", param="since")),)},
    "second resource": {"resources": (make_resource(), make_resource(name="items"))},
    "wider record": {"resources": (make_resource(record=Wider),)},
    "required field": {"resources": (make_resource(record=Stricter),)},
    "other default": {"resources": (make_resource(record=Otherwise),)},
    "renamed field": {"resources": (make_resource(record=Renamed),)},
    "key": {"tables": (make_table(primary_key=("id", "day")),)},
    "version": {"tables": (make_table(version_by="at"),)},
    "name": {"name": "store"},
    "schema": {"target_schema": "shop"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_fingerprint_changes_with_what_a_landed_extraction_means(change: str) -> None:
    assert make_pipeline(**CHANGES[change]).fingerprint() != make_pipeline().fingerprint()


def test_each_change_has_a_fingerprint_of_its_own() -> None:
    assert len({make_pipeline(**change).fingerprint() for change in CHANGES.values()}) == len(CHANGES)


def test_fingerprint_does_not_change_with_words_pressure_or_reports(tmp_path: Path) -> None:
    gentle = RestApi(
        base_url="http://127.0.0.1:1", connections=1, timeout_s=90, rate_limit=RateLimit(requests=1)
    )
    other = make_pipeline(description="Orders.", source=gentle, reports=(make_report(tmp_path),))
    assert other.fingerprint() == make_pipeline().fingerprint()


def test_fingerprint_is_the_same_in_every_process() -> None:
    from flows.catalog import find_pipeline  # noqa: PLC0415

    script = "from flows.catalog import find_pipeline as f; print(f('nyc_flights').fingerprint(), end='')"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert other.stdout == find_pipeline("nyc_flights").fingerprint()
