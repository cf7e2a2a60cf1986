"""A lost answer to COMMIT: the outcome is looked up, and found right both ways."""

import polars as pl
import pytest

from tasks.errors import RetriableError
from tasks.load.commit import was_committed
from tests.integration.tasks.load.builders import NOON, Shop
from tests.integration.tasks.load.proxy import Lost, lose_commit

ROWS = pl.DataFrame({"id": [1, 2]})
CURSOR = NOON.isoformat()


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
