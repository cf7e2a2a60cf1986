"""A pipeline whose schema is learned: replayed, shown, and learned afresh."""

import io
import json
import os
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
import pytest

from flows.cli import app, exit_code
from tasks.pipeline import Frames, Incremental, PageNumber, Pipeline, Resource, RestApi, Table
from tests.integration.tasks.extract.serving import Handler, serving

ORDERS: list[dict[str, Any]] = [
    {"id": number, "at": f"2024-05-{number:02}T00:00:00Z", "total": number / 4, "buyer": {"name": "Ann"}}
    for number in range(1, 26)
]
SUITE = {
    "name": "orders",
    "expectations": [{"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}}],
}
HASH = "SELECT md5(string_agg(o::text, ';' ORDER BY id)), count(*) FROM orders o"


def keep(frames: Frames) -> Frames:
    return {"orders": frames["orders"]}


class Shop:
    """The command, a database, and an API that can be switched off."""

    def __init__(self, dsn: str) -> None:
        self.is_up = True
        self.orders = ORDERS[:20]
        self._dsn = dsn

    def open(self, url: str) -> None:
        self._pipeline = Pipeline(
            name="shop",
            source=RestApi(base_url=url, attempts=1),
            resources=(
                Resource(
                    name="orders",
                    path="/orders",
                    paginator=PageNumber(page_size=10, total_records="total"),
                    incremental=Incremental(field="at", param="since"),
                ),
            ),
            transform=keep,
            tables=(Table(name="orders", primary_key=("id",), version_by="at"),),
        )

    def answer(self, handler: Handler, _asked: int) -> None:
        if not self.is_up:
            handler.send(b"", 404)
            return
        found = [order for order in self.orders if order["at"] >= handler.query.get("since", "")]
        start = 10 * (int(handler.query["page"]) - 1)
        handler.send_json({"data": found[start : start + 10], "total": len(found)})

    def command(self, *words: str) -> tuple[int, str]:
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch("flows.catalog.find_pipeline", return_value=self._pipeline),
            mock.patch("tasks.helper._Child", side_effect=OSError("not wanted here")),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = exit_code(lambda: app(list(words), result_action="return_value"))
        return code, out.getvalue() + err.getvalue()

    def run(self, *words: str) -> None:
        code, said = self.command(*(words or ("run", "shop")), "--no-prefect", "-q")
        assert code == 0, said

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._dsn, autocommit=True) as conn:
            done = conn.execute(statement.encode())
            return done.fetchall() if done.description else []


@pytest.fixture
def shop(dsn: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    suite = home / "orders.json"
    home.mkdir(parents=True, exist_ok=True)
    suite.write_text(json.dumps(SUITE))
    monkeypatch.setattr("tasks.validate.suites.find_suite", lambda _name: suite)
    for name in [name for name in os.environ if name.startswith("ASSAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ASSAY_DATABASE_URL", dsn)
    monkeypatch.setenv("ASSAY_HOME", str(home))
    shop = Shop(dsn)
    with serving(shop.answer) as (url, _):
        shop.open(url)
        yield shop


def test_learned_tables_are_rebuilt_without_the_api(shop: Shop) -> None:
    shop.run()
    shop.orders = [*ORDERS, {**ORDERS[0], "id": 99, "at": "2024-06-01T00:00:00Z", "gift": True}]
    shop.run()
    before = shop.query(HASH)
    loads = [load for (load,) in shop.query("SELECT load_id FROM assay.loads ORDER BY started_at")]
    shop.is_up = False
    for forget in (False, True):
        shop.query("DROP TABLE orders")
        if forget:
            assert shop.command("schema", "shop", "--relearn", "orders")[0] == 0
        for load in loads:
            shop.run("replay", "shop", "--load", load)
        assert shop.query(HASH) == before, forget
    assert before[0][1] == 26


def test_a_schema_is_shown_and_learned_afresh(shop: Shop) -> None:
    assert "nothing was learned" in shop.command("schema", "shop")[1]
    shop.run()
    code, said = shop.command("schema", "shop")
    rows = [line.split() for line in said.splitlines()]
    assert code == 0
    assert ["orders", "1", "total", "float"] in rows
    assert ["orders", "1", "buyer.name", "text"] in rows
    code, said = shop.command("schema", "shop", "--relearn", "order")
    assert (code, "only of: orders" in said) == (2, True)
    assert "afresh" in shop.command("schema", "shop", "--relearn", "orders")[1]
    assert "nothing was learned" in shop.command("schema", "shop")[1]
    shop.run()
    assert shop.query("SELECT resource, version FROM assay.schemas") == [("orders", 1)]
