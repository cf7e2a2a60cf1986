"""The publishing transaction: all of a load at once, or nothing of it."""

import dataclasses
import threading
from pathlib import Path

import msgspec
import polars as pl
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tasks.errors import FatalError, PipelineError, RetriableError
from tasks.load import ledger
from tasks.load.applying import PLANNING
from tasks.load.connection import open_connection
from tasks.load.load import record_failure
from tasks.load.staging import staging_name
from tests.integration.tasks.load.builders import (
    NOON,
    Shop,
    Staged,
    make_outcome,
    make_pipeline,
    make_report,
    make_table,
    with_reason,
    written,
)

CURSOR = NOON.isoformat()
LATER = NOON.replace(hour=13).isoformat()
COUNT_BY_COLOUR = "SELECT colour, count(*) AS items FROM affected JOIN items USING (colour) GROUP BY colour"


def goods(*ids: int, colour: str = "red") -> pl.DataFrame:
    return pl.DataFrame(
        {"id": ids, "colour": [colour] * len(ids)}, schema={"id": pl.Int64, "colour": pl.String}
    )


@pytest.fixture
def shop(dsn: str, tmp_path: Path) -> Shop:
    """Two tables and a report, with a load of each published."""
    report = make_report(tmp_path, COUNT_BY_COLOUR, "colour")
    shop = Shop(dsn, tmp_path, make_pipeline(make_table(), make_table("boxes"), reports=[report]))
    shop.load({"items": goods(1, 2), "boxes": goods(1)}, cursor=CURSOR)
    return shop


def change() -> dict[str, pl.DataFrame]:
    return {"items": goods(2, 3, colour="blue"), "boxes": goods(1, 2, colour="blue")}


def staging(staged: Staged, table: str) -> str:
    return f'assay_staging."{staging_name(staged.load.load_id, table)}"'


def refuse(shop: Shop, table: str, event: str, when: str = "true") -> None:
    """Make a step of the transaction fail."""
    shop.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused'; END$$"
    )
    shop.execute(
        f"CREATE TRIGGER refuse BEFORE {event} ON {table} FOR EACH ROW WHEN ({when}) "
        "EXECUTE FUNCTION refuse()"
    )


@pytest.mark.parametrize(
    ("table", "event", "when"),
    [
        ("assay.publications", "INSERT", "true"),
        ("assay.cursors", "INSERT OR UPDATE", "true"),
        ("items", "INSERT", "true"),
        ("items", "UPDATE", "true"),
        ("boxes", "UPDATE", "true"),
        ("totals", "INSERT OR UPDATE", "true"),
        ("assay.quarantine", "INSERT", "true"),
        ("assay.table_loads", "INSERT", "true"),
        ("assay.validations", "INSERT", "true"),
        ("assay.attempts", "UPDATE", "NEW.status = 'published'"),
        ("assay.loads", "UPDATE", "NEW.status = 'published'"),
    ],
)
def test_a_failure_at_any_step_leaves_everything_unchanged(
    shop: Shop, table: str, event: str, when: str
) -> None:
    staged = shop.stage(change(), cursor=LATER, outcomes=(make_outcome(),), quarantine=with_reason(goods(9)))
    refuse(shop, table, event, when)
    before = shop.snapshot()

    with pytest.raises(PipelineError, match="refused"):
        shop.publish(staged)

    assert shop.snapshot() == before


def test_a_failure_at_commit_leaves_everything_unchanged(shop: Shop) -> None:
    shop.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused'; END$$"
    )
    shop.execute(
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    before = shop.snapshot()

    with pytest.raises(FatalError, match="refused"):
        shop.load(change())

    assert shop.snapshot() == before


def test_the_failed_load_is_published_by_the_next_attempt(shop: Shop) -> None:
    staged = shop.stage(change(), cursor=LATER)
    refuse(shop, "boxes", "UPDATE")
    with pytest.raises(FatalError):
        shop.publish(staged)
    record_failure(shop.target, staged.load, "refused")
    shop.execute("DROP TRIGGER refuse ON boxes")

    again = shop.begin()
    report = shop.load(change(), load=again, cursor=LATER)

    assert (again.load_id, again.attempt_no) == (staged.load.load_id, 2)
    assert (report.status, report.recovered) == ("published", True)
    assert shop.rows("boxes") == [(1, "blue"), (2, "blue")]


def test_a_reader_sees_all_of_a_load_or_nothing(shop: Shop) -> None:
    seen, done = set(), threading.Event()

    def read() -> None:
        query = (
            "SELECT (SELECT count(*) FROM items WHERE colour = 'blue'), "
            "(SELECT count(*) FROM boxes WHERE colour = 'blue'), "
            "(SELECT coalesce(sum(items), 0) FROM totals WHERE colour = 'blue'), "
            "(SELECT count(*) FROM assay.publications)"
        )
        with psycopg.connect(shop.dsn, autocommit=True) as conn:
            while not done.is_set():
                seen.add(conn.execute(query).fetchone())

    many = goods(*range(2000), colour="blue")
    staged = shop.stage({"items": many, "boxes": many})
    reader = threading.Thread(target=read)
    reader.start()
    shop.publish(staged)
    done.set()
    reader.join()

    assert seen <= {(0, 0, 0, 1), (2000, 2000, 2000, 2)}


def test_an_old_snapshot_keeps_its_rows(shop: Shop) -> None:
    with psycopg.connect(shop.dsn) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        before = reader.execute("SELECT * FROM items ORDER BY id").fetchall()
        shop.load(change())
        assert reader.execute("SELECT * FROM items ORDER BY id").fetchall() == before


def test_publishing_a_load_again_changes_nothing(shop: Shop) -> None:
    staged = shop.stage(change(), cursor=LATER)
    shop.publish(staged)
    before, told = shop.snapshot(), shop.report(staged.load)

    shop.publish(staged)

    assert shop.snapshot() == before
    assert shop.report(staged.load) == told


def test_the_cursor_moves_with_the_data(shop: Shop) -> None:
    shop.load(change(), cursor=LATER)
    with open_connection(shop.dsn) as conn:
        assert ledger.read_cursors(conn, "shop") == {"items": LATER, "boxes": LATER}


def test_the_cursor_never_goes_back(shop: Shop) -> None:
    shop.load(change(), cursor=NOON.replace(hour=1).isoformat())
    with open_connection(shop.dsn) as conn:
        assert ledger.read_cursors(conn, "shop") == {"items": CURSOR, "boxes": CURSOR}


def test_the_least_cursor_of_a_resource_s_tables_counts(dsn: str, tmp_path: Path) -> None:
    two = Shop(dsn, tmp_path, make_pipeline(make_table(), make_table("boxes", source="items")))
    staged = two.stage({"items": goods(1), "boxes": goods(1)}, cursor=LATER, carries_cursor=True)
    cursors = {"items": LATER, "boxes": CURSOR}
    verdicts = [msgspec.structs.replace(v, cursor=cursors[v.table]) for v in staged.verdicts]
    two.publish(dataclasses.replace(staged, verdicts=verdicts))
    assert two.query("SELECT value FROM assay.cursors") == [(CURSOR,)]


def test_a_table_with_no_clean_row_holds_the_cursor(shop: Shop) -> None:
    shop.load(change(), cursor=LATER, carries_cursor=True)
    assert {value for (value,) in shop.query("SELECT value FROM assay.cursors")} == {CURSOR}


def test_a_load_is_refused_when_the_cursor_moved_meanwhile(shop: Shop) -> None:
    early = shop.stage(change(), cursor=LATER)
    shop.execute(f"UPDATE assay.cursors SET value = '{LATER}'")
    before = shop.snapshot()

    with pytest.raises(FatalError, match=r"starts from the cursors .*Run the pipeline again"):
        shop.publish(early)

    assert shop.snapshot() == before


def test_of_two_loads_at_once_from_one_cursor_one_is_published(shop: Shop) -> None:
    """As when a run lost its hold on the pipeline without noticing."""
    first = shop.stage(change(), cursor=LATER)
    shop.execute("UPDATE assay.loads SET fingerprint = 'other', status = 'published' WHERE status = 'open'")
    second = shop.stage({"items": goods(7), "boxes": goods(7)}, cursor=NOON.replace(hour=14).isoformat())
    shop.execute("UPDATE assay.attempts SET status = 'running' WHERE status = 'crashed'")
    refused: list[PipelineError] = []

    def publish(staged: Staged) -> None:
        try:
            shop.publish(staged)
        except PipelineError as exc:
            refused.append(exc)

    # Both are past the insertion of their publication before either may go on.
    with psycopg.connect(shop.dsn) as holder:
        for staged in (first, second):
            holder.execute(f"LOCK {staging(staged, 'items')}".encode())
        threads = [threading.Thread(target=publish, args=(staged,)) for staged in (first, second)]
        for thread in threads:
            thread.start()
        while not shop.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' OFFSET 1"):
            pass
    for thread in threads:
        thread.join()

    assert ["starts from the cursors" in str(exc) for exc in refused] == [True]
    assert len(shop.query("SELECT FROM assay.publications")) == 2


def test_an_attempt_declared_crashed_cannot_publish(shop: Shop) -> None:
    """As when a run lost its hold on the pipeline, and another took the load up."""
    zombie = shop.stage(change(), cursor=LATER)
    shop.begin()
    before = shop.snapshot()

    with pytest.raises(FatalError, match="crashed"):
        shop.publish(zombie)

    assert shop.snapshot() == before


def test_emptied_staging_is_noticed(shop: Shop) -> None:
    """A crash of the server empties unlogged tables."""
    staged = shop.stage(change())
    shop.execute(f"TRUNCATE {staging(staged, 'boxes')}")
    before = shop.snapshot()

    with pytest.raises(RetriableError, match="boxes: staging holds 0 rows, 2 were copied"):
        shop.publish(staged)

    assert shop.snapshot() == before


def test_missing_staging_is_noticed(shop: Shop) -> None:
    staged = shop.stage(change())
    shop.execute(f"DROP TABLE {staging(staged, 'boxes')}")
    with pytest.raises(RetriableError, match="boxes: staging"):
        shop.publish(staged)


def test_staging_is_dropped_after_publication(shop: Shop) -> None:
    shop.load(change())
    assert shop.query("SELECT FROM pg_tables WHERE schemaname = 'assay_staging'") == []


def test_staging_that_cannot_be_dropped_does_not_fail_the_load(shop: Shop) -> None:
    staged = shop.stage(change())
    with psycopg.connect(shop.dsn) as reader:
        reader.execute(f"SELECT FROM {staging(staged, 'items')}".encode())
        assert shop.publish(staged) == "published"
    assert shop.report(staged.load).status == "published"


def test_a_finished_attempt_keeps_its_status(shop: Shop) -> None:
    """As when the process is interrupted between the publication and its report."""
    staged = shop.stage(change())
    shop.publish(staged)
    record_failure(shop.target, staged.load, "KeyboardInterrupt")
    assert shop.report(staged.load).status == "published"


@pytest.mark.parametrize(
    ("setting", "usual", "granted"),
    [
        ("work_mem", "4MB", "16MB"),
        ("work_mem", "64MB", "64MB"),
        ("random_page_cost", "4", "1.1"),
        ("random_page_cost", "1", "1"),
    ],
)
def test_comparing_is_planned_with_more_unless_the_server_gives_more_still(
    dsn: str, setting: str, usual: str, granted: str
) -> None:
    show = f"SHOW {setting}".encode()
    with open_connection(make_conninfo(dsn, options=f"-c {setting}={usual}")) as conn:
        with conn.transaction():
            conn.execute(PLANNING)
            assert conn.execute(show).fetchone() == (granted,)
        assert conn.execute(show).fetchone() == (usual,)


def test_an_empty_load_is_published_without_rows(shop: Shop) -> None:
    staged = shop.stage({"items": goods(), "boxes": goods()}, cursor=LATER)
    assert shop.publish(staged) == "no new rows"
    report = shop.report(staged.load)
    assert (report.status, written(report)) == ("no new rows", (0, 0, 0))


def test_the_tables_of_another_schema_are_found_by_reports_and_checks(dsn: str, tmp_path: Path) -> None:
    report = make_report(tmp_path, COUNT_BY_COLOUR, "colour")
    other = Shop(dsn, tmp_path, make_pipeline(reports=[report], target_schema="store"))
    for frame in (goods(1, 2), goods(2, 3)):
        other.load(frame)
    assert other.rows("totals") == [("red", 3)]
    assert other.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


def test_a_terminated_backend_leaves_everything_unchanged(shop: Shop) -> None:
    staged = shop.stage(change(), cursor=LATER)
    before = shop.snapshot()
    failures: list[BaseException] = []

    def publish() -> None:
        try:
            shop.publish(staged)
        except BaseException as exc:  # noqa: BLE001  handed to the test
            failures.append(exc)

    with psycopg.connect(shop.dsn) as holder:
        holder.execute("LOCK boxes IN ACCESS EXCLUSIVE MODE")
        publisher = threading.Thread(target=publish)
        publisher.start()
        terminate = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND application_name = 'assay'"
        )
        while not shop.query(terminate):
            pass
        publisher.join()

    assert [type(failure) for failure in failures] == [RetriableError]
    assert shop.snapshot() == before
    assert shop.publish(staged) == "published"
