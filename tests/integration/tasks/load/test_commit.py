"""A lost answer to COMMIT: the outcome is looked up, and found right both ways."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasks.errors import RetriableError
from tasks.load.commit import was_committed
from tests.integration.tasks.load.builders import NOON, Shop, make_pipeline, make_table
from tests.integration.tasks.load.proxy import Lost, lose_commit

ROWS = pl.DataFrame({"id": [1, 2]})
CURSOR = NOON.isoformat()
OLD = pl.DataFrame({"id": [1, 2, 3], "value": ["a", "b", "c"], "at": [1, 1, 1]})
NEW = pl.DataFrame({"id": [2, 3, 4], "value": ["x", "c", "d"], "at": [2, 1, 2]})
EITHER = [(1, "a", 1), (2, "b", 1), (2, "x", 2), (3, "c", 1), (4, "d", 2)]
DISPOSITIONS: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]]]] = {
    "append": ({"disposition": "append"}, [*OLD.rows(), (4, "d", 2)]),
    "append without a key": ({"disposition": "append", "primary_key": ()}, [*OLD.rows(), *NEW.rows()]),
    "merge": ({"disposition": "merge"}, [(1, "a", 1), *NEW.rows()]),
    "replace": ({"disposition": "replace"}, NEW.rows()),
    "replace without a key": ({"disposition": "replace", "primary_key": ()}, NEW.rows()),
    "scd2 of snapshots": ({"disposition": "scd2"}, EITHER),
    "scd2 of versions": ({"disposition": "scd2", "version_by": "at"}, EITHER),
}


@pytest.mark.parametrize("lost", [Lost.ANSWER, Lost.QUESTION], ids=["committed", "not committed"])
@pytest.mark.parametrize("name", DISPOSITIONS)
def test_a_connection_cut_at_commit_loses_and_doubles_nothing(
    dsn: str, tmp_path: Path, name: str, lost: Lost
) -> None:
    options, expected = DISPOSITIONS[name]
    shop = Shop(dsn, tmp_path, make_pipeline(make_table(**options), incremental=False))
    shop.load(OLD)
    before, staged = shop.snapshot(), shop.stage(NEW)
    with lose_commit(dsn, lost) as broken:
        if lost is Lost.ANSWER:
            assert shop.publish(staged, broken) == "published"
        else:
            with pytest.raises(RetriableError, match="by half"):
                shop.publish(staged, broken)
            assert shop.snapshot() == before
    # What a run does that does not know: the same load once more.
    shop.publish(shop.stage(NEW, load=staged.load))
    assert sorted(row[:3] for row in shop.rows()) == sorted(expected)
    assert shop.query("SELECT count(*) FROM assay.publications") == [(2,)]


def test_a_lost_answer_is_a_publication(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    staged = shop.stage(ROWS, cursor=CURSOR)
    with lose_commit(shop.dsn, Lost.ANSWER) as dsn:
        assert shop.publish(staged, dsn) == "published"

    assert "the answer to COMMIT was lost, the load is published" in caplog.text
    assert shop.rows() == [(1,), (2,)]
    assert shop.report(staged.load).status == "published"


def test_a_commit_still_under_way_is_waited_for(shop: Shop) -> None:
    shop.load(ROWS)
    shop.execute(
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql "
        "AS $$BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END$$"
    )
    shop.execute(
        "CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION dawdle()"
    )
    staged = shop.stage(pl.DataFrame({"id": [3]}))
    with lose_commit(shop.dsn, Lost.PATIENCE) as dsn:
        assert shop.publish(staged, dsn) == "published"
    assert shop.rows() == [(1,), (2,), (3,)]


def test_a_commit_that_was_never_heard_publishes_nothing(shop: Shop) -> None:
    staged = shop.stage(ROWS, cursor=CURSOR)
    before = shop.snapshot()

    with lose_commit(shop.dsn, Lost.QUESTION) as dsn, pytest.raises(RetriableError, match="by half"):
        shop.publish(staged, dsn)

    assert shop.snapshot() == before
    assert shop.report(staged.load).status == "running"
    assert shop.publish(staged) == "published"


def test_a_transaction_that_a_crash_erased_was_not_committed(shop: Shop) -> None:
    """After a crash the server may not know an id that it gave out: it calls it one of the future."""
    [(xid,)] = shop.query("SELECT pg_current_xact_id()::text::bigint + 1000000")
    assert was_committed(shop.dsn, str(xid), "load") is False
