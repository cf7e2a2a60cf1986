"""Names of tables and columns that SQL could stumble over."""

import json
import re
from pathlib import Path

import polars as pl
import pytest

from tasks.errors import ConfigurationError
from tasks.load.ddl import identifiers
from tests.integration.tasks.load.builders import (
    Shop,
    make_pipeline,
    make_report,
    make_table,
    with_reason,
    written,
)

ODD_NAMES = [
    "select", "Order", "a b", 'a"b', "a'b", "100%", "%s", "%(table)s", "{0}", "{batch}", "a;b", "a\\b", "ä",
    "is_new", "new", "old", "typed", "staged", "a.b", "x" * 63,
]  # fmt: skip


def test_key_columns_of_any_name_go_all_the_way(dsn: str, tmp_path: Path) -> None:
    """Staged, merged twice, reported on, quarantined, and the entry closed."""
    columns = identifiers(ODD_NAMES).as_string()
    query = f"SELECT {columns}, count(*) FROM affected JOIN items USING ({columns}) GROUP BY {columns}"
    report = make_report(tmp_path, query, *ODD_NAMES)
    shop = Shop(dsn, tmp_path, make_pipeline(make_table("items", *ODD_NAMES), reports=[report]))
    key = {name: [1, 2] for name in ODD_NAMES}
    both = pl.DataFrame(key | {"value": ["b", "b"]})
    shop.load(both.head(1).with_columns(value=pl.lit("a")), quarantine=with_reason(both.tail(1)))

    assert written(shop.load(both)) == (1, 1, 0)
    assert shop.rows() == both.rows()
    assert shop.query("SELECT count FROM totals") == [(1,), (1,)]
    entries = shop.query("SELECT key, closed_at IS NULL FROM assay.quarantine")
    assert entries == [(dict.fromkeys(ODD_NAMES, 2), False)]


def test_value_columns_of_any_name_go_all_the_way(shop: Shop) -> None:
    values = {name: ["a"] for name in ODD_NAMES}
    shop.load(pl.DataFrame({"id": [1]} | values))
    changed = pl.DataFrame({"id": [1]} | values | {ODD_NAMES[-1]: ["b"]})
    assert written(shop.load(changed)) == (0, 1, 0)
    assert shop.rows() == changed.rows()


def rename_as_advised(frame: pl.DataFrame, message: str) -> pl.DataFrame:
    return frame.rename(json.loads(re.findall(r"\.rename\(({.*})\)", message)[0]))


@pytest.mark.parametrize("name", ["x" * 64, "ä" * 32, ""])
def test_a_name_that_postgres_would_cut_is_refused(shop: Shop, name: str) -> None:
    frame = pl.DataFrame({"id": [1], name: ["a"]})
    with pytest.raises(ConfigurationError, match=r"^items: Column .*names of 1 to 63 bytes") as caught:
        shop.load(frame)
    shop.load(rename_as_advised(frame, str(caught.value)))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "A", "B", "b"), "items: Columns 'a' and 'A'; 'B' and 'b' are one name"),
        (("xmin", "ctid"), "items: Columns 'xmin', 'ctid': every table of Postgres has"),
        (("x" * 64 + "a", "x" * 64 + "b"), "items: Columns "),
    ],
    ids=["alike", "given away", "too long"],
)
def test_a_refusal_of_names_says_how_to_rename_them(shop: Shop, names: tuple[str, ...], message: str) -> None:
    frame = pl.DataFrame({"id": [1]} | {name: ["a"] for name in names})
    with pytest.raises(ConfigurationError) as caught:
        shop.load(frame)
    assert str(caught.value).startswith(message)
    shop.load(rename_as_advised(frame, str(caught.value)))
    assert shop.rows() == [(1, *("a" for _ in names))]


def test_tables_whose_long_names_begin_alike_stay_apart(dsn: str, tmp_path: Path) -> None:
    names = [f"{'x' * 49}{end}" for end in "ab"]
    reports = [
        make_report(
            tmp_path,
            f"SELECT id, count(*) AS items FROM affected JOIN {name} USING (id) GROUP BY id",
            "id",
            name=f"{'y' * 49}{name[-1]}",
            table=name,
        )
        for name in names
    ]
    shop = Shop(dsn, tmp_path, make_pipeline(*map(make_table, names), reports=reports))
    for value in ("1", "2"):
        shop.load({name: pl.DataFrame({"id": [1], "value": [name[-1] + value]}) for name in names})
    assert [shop.rows(name) for name in names] == [[(1, "a2")], [(1, "b2")]]


@pytest.mark.parametrize("name", ["select", "user", "all", "affected_by"])
def test_a_table_and_a_schema_may_have_any_name(dsn: str, tmp_path: Path, name: str) -> None:
    pipeline = make_pipeline(make_table(name), target_schema=name)
    shop = Shop(dsn, tmp_path, pipeline)
    for value in ("a", "b"):
        shop.load(pl.DataFrame({"id": [1], "value": [value]}))
    assert shop.rows(name) == [(1, "b")]


def test_another_key_than_declared_is_refused(dsn: str, tmp_path: Path) -> None:
    Shop(dsn, tmp_path).load(pl.DataFrame({"id": [1], "other": [1]}))
    shop = Shop(dsn, tmp_path, make_pipeline(make_table("items", "id", "other")))
    with pytest.raises(ConfigurationError, match=r"\['id'\], the declaration says \['id', 'other'\]"):
        shop.load(pl.DataFrame({"id": [1], "other": [1]}))


def test_a_frozen_table_refuses_new_columns_and_says_how_to_take_them_in(dsn: str, tmp_path: Path) -> None:
    shop = Shop(dsn, tmp_path, make_pipeline(make_table(columns="freeze")))
    shop.load(pl.DataFrame({"id": [1]}))
    with pytest.raises(ConfigurationError, match=r'ALTER TABLE .*"items" ADD COLUMN "new" bigint'):
        shop.load(pl.DataFrame({"id": [1], "new": [1]}))
