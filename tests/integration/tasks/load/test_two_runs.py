"""Two runs at once, from two processes: directly, and through a transaction pooler."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tasks.load.connection import PipelineBusyError, hold_pipeline
from tests.integration.tasks.load.builders import Shop, make_pipeline, make_report, make_table
from tests.integration.tasks.load.pooler import transaction_pooler

OTHER_RUN = """
import sys, time
from tasks.load import ledger
from tasks.load.connection import hold_pipeline, open_connection
with hold_pipeline(sys.argv[1], "shop"):
    with open_connection(sys.argv[1]) as conn:
        opened = ledger.open_load(conn, "shop", "f", resume_within_s=60)
    print(opened.load_id, flush=True)
    time.sleep(60)
"""
TOTALS = "SELECT value, count(*) AS items FROM affected JOIN items USING (value) GROUP BY value"


@pytest.fixture(params=["directly", "through a pooler"])
def address(request: pytest.FixtureRequest, dsn: str, tmp_path: Path) -> Iterator[str]:
    if request.param == "directly":
        yield dsn
        return
    with transaction_pooler(dsn, tmp_path) as pooled:
        yield pooled


def test_the_second_of_two_runs_is_refused_and_told_which_load_is_open(address: str) -> None:
    other = subprocess.Popen([sys.executable, "-c", OTHER_RUN, address], stdout=subprocess.PIPE, text=True)
    with other:
        assert other.stdout is not None
        load_id = other.stdout.readline().strip()
        assert load_id.startswith("shop-")
        with (
            pytest.raises(PipelineBusyError, match=f"under way on this database: load {load_id}, attempt 1"),
            hold_pipeline(address, "shop"),
        ):
            pass
        other.kill()


@pytest.mark.parametrize("disposition", ["append", "merge", "replace", "scd2"])
def test_every_disposition_loads_through_a_transaction_pooler(
    dsn: str, tmp_path: Path, disposition: str
) -> None:
    contents = [([1, 2], ["a", "b"]), ([2, 3], ["x", "y"])]
    rows = [pl.DataFrame({"id": ids, "value": values}) for ids, values in contents]
    table = make_table(disposition=disposition)
    report = make_report(tmp_path, TOTALS, "value")
    pipeline = make_pipeline(table, reports=[report], incremental=False)
    with transaction_pooler(dsn, tmp_path) as pooled:
        shop = Shop(pooled, tmp_path, pipeline)
        for frame in rows:
            with hold_pipeline(pooled, "shop"):
                assert shop.load(frame).status == "published"
    found = {row[:2] for row in Shop(dsn, tmp_path, pipeline).rows()}
    assert (
        found
        == {
            "append": {(1, "a"), (2, "b"), (3, "y")},
            "merge": {(1, "a"), (2, "x"), (3, "y")},
            "replace": {(2, "x"), (3, "y")},
            "scd2": {(1, "a"), (2, "b"), (2, "x"), (3, "y")},
        }[disposition]
    )
