"""Where rows go when some are diverted, some are dead and some are superseded."""

from pathlib import Path

import polars as pl
import pytest

from tests.unit.tasks.validate.gating import expect, judge

ROWS = pl.DataFrame(
    {
        "id": [1, 2, 3, 4, 5, 5],
        "value": [1, -2, 3, None, 5, 5],
        "is_deleted": [False, False, False, True, False, False],
    }
)
POSITIVE = expect(
    "expect_column_values_to_be_between", column="value", min_value=0, meta={"quarantine": True}
)
COMPLETE = expect("expect_column_values_to_be_between", column="value", min_value=0)


@pytest.mark.parametrize("tombstone", [None, "is_deleted"])
def test_clean_rows_are_those_without_a_verdict_in_their_order(tombstone: str | None, tmp_path: Path) -> None:
    verdict = judge(tmp_path, ROWS, [POSITIVE, COMPLETE], tombstone=tombstone)
    clean = pl.read_parquet(verdict.clean)
    assert clean.columns == ROWS.columns
    living = clean.filter(pl.col("id") != 4)
    assert living.get_column("id").to_list() == [1, 3, 5]
    assert clean.height == verdict.clean_count == 4
    assert verdict.quarantined == 1
    assert [outcome.state for outcome in verdict.outcomes] == ["quarantined", "passed"]


def test_rows_that_are_all_clean_stay_where_they_are(tmp_path: Path) -> None:
    verdict = judge(tmp_path, ROWS.head(1), [POSITIVE, COMPLETE])
    assert Path(verdict.clean).name == "orders.parquet"
    assert [path.name for path in tmp_path.iterdir()] == ["orders.parquet"]
