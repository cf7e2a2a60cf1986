"""Reporting tables: after any load they equal the whole aggregate."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.errors import ConfigurationError
from tests.integration.tasks.load.builders import Shop, make_pipeline, make_report

SUMS = """
-- A comment with 100% and {braces}; and a quote: it's here.
SELECT day, shop, count(*) AS items, sum(price) AS total,
       array_agg(DISTINCT price ORDER BY price) <> '{7}' AS is_mixed
FROM affected JOIN items USING (day, shop)
WHERE price % 10 <> 9
GROUP BY day, shop;
"""
WHOLE = """
SELECT day, shop, count(*), sum(price), array_agg(DISTINCT price ORDER BY price) <> '{7}'
FROM items WHERE price % 10 <> 9 GROUP BY day, shop
"""
SCHEMA = pl.Schema({"id": pl.Int64(), "day": pl.Int64(), "shop": pl.String(), "price": pl.Int64()})
BATCHES = st.lists(
    st.dictionaries(
        st.integers(0, 9), st.tuples(st.integers(1, 2), st.sampled_from("ab"), st.integers(0, 19)), max_size=8
    ),
    min_size=1,
    max_size=4,
)
Sell = Callable[..., Shop]


def sales(*rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), SCHEMA, orient="row")


@pytest.fixture
def sell(dsn: str, tmp_path: Path) -> Sell:
    """A shop with a report of this query, of the same database each time."""

    def make(query: str = SUMS, *group_by: str) -> Shop:
        report = make_report(tmp_path, query, *(group_by or ("day", "shop")))
        return Shop(dsn, tmp_path, make_pipeline(reports=[report]))

    return make


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES)
def test_a_report_kept_up_by_loads_equals_the_whole_aggregate(
    sell: Sell, batches: list[dict[int, Any]]
) -> None:
    shop = sell()
    shop.execute("DROP TABLE IF EXISTS items, totals")
    for batch in batches:
        shop.load(sales(*((key, *values) for key, values in batch.items())))
        assert shop.rows("totals") == sorted(shop.query(WHOLE), key=repr)


def test_a_load_touches_only_its_groups(sell: Sell) -> None:
    shop = sell()
    shop.load(sales((1, 1, "a", 5), (2, 2, "a", 5), (3, 2, "b", 5)))
    before = dict(shop.query("SELECT (day, shop)::text, ctid::text FROM totals"))
    assert shop.load(sales((3, 2, "b", 6))).reports == {"totals": 1}
    after = dict(shop.query("SELECT (day, shop)::text, ctid::text FROM totals"))
    assert {group for group in before if after[group] != before[group]} == {"(2,b)"}


def test_a_load_without_changes_writes_no_report(sell: Sell) -> None:
    shop = sell()
    shop.load(sales((1, 1, "a", 5)))
    before = shop.query("SELECT ctid, xmin FROM totals")
    assert shop.load(sales((1, 1, "a", 5))).reports == {"totals": 0}
    assert shop.query("SELECT ctid, xmin FROM totals") == before


def test_an_emptied_group_disappears(sell: Sell) -> None:
    shop = sell()
    shop.load(sales((1, 1, "a", 5)))
    shop.load(sales((1, 2, "b", 5)))
    assert shop.query("SELECT day, shop FROM totals") == [(2, "b")]


def test_a_changed_query_is_computed_for_all_groups(sell: Sell) -> None:
    sell().load(sales((1, 1, "a", 5), (2, 1, "b", 9)))
    shop = sell(SUMS.replace("WHERE price % 10 <> 9", ""))
    shop.load(sales((1, 1, "a", 5)))
    assert len(shop.rows("totals")) == 2


def test_a_changed_query_drops_the_groups_it_has_no_more(sell: Sell) -> None:
    sell(SUMS.replace("WHERE price % 10 <> 9", "")).load(sales((1, 1, "a", 5), (2, 1, "b", 9)))
    shop = sell()
    shop.load(sales((1, 1, "a", 5)))
    assert shop.query("SELECT day, shop FROM totals") == [(1, "a")]


def test_a_report_that_was_not_declared_for_a_while_is_computed_anew(sell: Sell) -> None:
    shop = sell()
    shop.load(sales((1, 1, "a", 5), (2, 2, "b", 5)))
    Shop(shop.dsn, shop.folder, make_pipeline()).load(sales((1, 1, "b", 7)))
    shop.load(sales((2, 2, "b", 5)))
    assert shop.rows("totals") == sorted(shop.query(WHOLE), key=repr)


def test_a_report_of_groups_alone_can_be_kept_up(sell: Sell) -> None:
    shop = sell("SELECT DISTINCT day FROM affected JOIN items USING (day)", "day")
    for day in (1, 2):
        shop.load(sales((1, day, "a", 5), (2, 1, "a", 5)))
    assert shop.rows("totals") == [(1,), (2,)]


def test_several_reports_on_one_table_are_kept_up(dsn: str, tmp_path: Path) -> None:
    by = "SELECT {0}, count(*) AS items FROM affected JOIN items USING ({0}) GROUP BY {0}"
    reports = [make_report(tmp_path, by.format(name), name, name=f"by_{name}") for name in ("day", "shop")]
    shop = Shop(dsn, tmp_path, make_pipeline(reports=reports))
    shop.load(sales((1, 1, "a", 5), (2, 1, "b", 5)))
    shop.load(sales((2, 2, "a", 5)))
    assert (shop.rows("by_day"), shop.rows("by_shop")) == ([(1, 1), (2, 1)], [("a", 2)])


@pytest.mark.parametrize("ending", ["", ";", " ; \n", "\n-- the end", "; -- the end"])
def test_a_query_may_end_as_queries_do(sell: Sell, ending: str) -> None:
    shop = sell(SUMS.rstrip("; \n") + ending)
    for price in (5, 6):
        shop.load(sales((1, 1, "a", price)))
    assert shop.query("SELECT total FROM totals") == [(6,)]


def test_other_columns_are_refused_with_a_way_out(sell: Sell) -> None:
    sell().load(sales((1, 1, "a", 5)))
    shop = sell(
        "SELECT day, shop, max(price) AS top FROM affected JOIN items USING (day, shop) GROUP BY 1, 2"
    )
    with pytest.raises(ConfigurationError) as refused:
        shop.load(sales((1, 1, "a", 6)))
    assert "column top is absent there, bigint in the query" in str(refused.value)
    assert 'DROP TABLE "public"."totals"' in str(refused.value)

    shop.execute('DROP TABLE "public"."totals"')
    shop.load(sales((1, 1, "a", 6)))
    assert shop.rows("totals") == [(1, "a", 6)]


def test_another_key_is_refused_with_a_way_out(sell: Sell) -> None:
    sell().load(sales((1, 1, "a", 5)))
    with pytest.raises(ConfigurationError, match=r"its key is \['day', 'shop'\], group_by says \['day'\]"):
        sell(SUMS.replace("USING (day, shop)", "USING (day)"), "day").load(sales((1, 1, "a", 6)))


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT day FORM affected", "syntax error"),
        ("SELECT day, nowhere FROM affected", "does not exist"),
        ("SELECT day, 1 / (day - 1) AS share FROM affected", "division by zero"),
        ("SELECT day, price FROM affected JOIN items USING (day)", "could not create unique index"),
        ("SELECT nullif(day, 1) AS day FROM affected", "contains null values"),
    ],
)
def test_a_query_that_fails_is_named(sell: Sell, query: str, reason: str) -> None:
    shop = sell(query, "day")
    with pytest.raises(ConfigurationError, match=rf"Report totals: totals.sql fails: .*{reason}"):
        shop.load(sales((1, 1, "a", 5), (2, 1, "a", 6)))


def test_a_query_that_repeats_a_group_later_is_named(sell: Sell) -> None:
    shop = sell("SELECT day, price FROM affected JOIN items USING (day)", "day")
    shop.load(sales((1, 1, "a", 5)))
    with pytest.raises(ConfigurationError, match=r"Report totals: .* it must give one row a group, with day"):
        shop.load(sales((2, 1, "a", 6)))
