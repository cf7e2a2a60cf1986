"""`kill -9` at every step: one rerun, nothing by hand, and the tables are those of an undisturbed run."""

import datetime as dt
import time
from collections.abc import Callable

from tests.acceptance.conftest import PIPELINE, World
from tests.acceptance.source import COLUMNS, WHOLE_DAILY_DELAYS, known_by, read_source, read_table

ALL_OF_2013 = dt.datetime(2014, 1, 2, tzinfo=dt.UTC)
FLIGHT_PAGES = 337
FEBRUARY = dt.datetime(2013, 2, 20, tzinfo=dt.UTC)

SLEEP_BEFORE_COMMIT = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(3); RETURN NULL; END $$;
CREATE TRIGGER dawdle AFTER UPDATE ON assay.loads FOR EACH ROW
WHEN (NEW.status = 'published') EXECUTE FUNCTION dawdle();
"""
SLEEP_IN_COMMIT = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(5); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON assay.publications
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle();
"""
DAWDLING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
)
COPYING = (
    "SELECT count(*) FROM pg_stat_progress_copy "
    "WHERE tuples_processed > 1000 AND datname = current_database()"
)


def kill_when(world: World, is_time: Callable[[], bool]) -> None:
    """Start a run, wait for the moment, kill it."""
    process = world.start("run", PIPELINE, "--no-prefect", "-q")
    try:
        deadline = time.monotonic() + 120
        while not is_time():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "the moment never came"
            time.sleep(0.002)
    finally:
        process.kill()
        process.communicate()


def assert_tables_hold(world: World, moment: dt.datetime) -> None:
    """Each row of the source once, what is computed from them right, and the cursor not ahead of them."""
    for table in COLUMNS:
        rows = read_table(world.dsn, table)
        assert len(rows) == len(set(rows))
        assert set(rows) == known_by(read_source(table), table, moment)
    assert world.query("SELECT * FROM daily_delays ORDER BY 1, 2") == world.query(WHOLE_DAILY_DELAYS)
    inserted = "SELECT count(*) FROM assay.table_loads WHERE table_name = 'flights' AND inserted > 0"
    assert count(world, inserted) == 1
    assert count(world, "SELECT count(*) FROM pg_tables WHERE schemaname = 'assay_staging'") == 0
    cursor = world.query("SELECT value::timestamptz FROM assay.cursors WHERE resource = 'flights'")
    assert cursor == world.query("SELECT max(updated_at) FROM flights")


def landed_pages(world: World, resource: str) -> int:
    """How many pages are in completed segments."""
    segments = (world.home / "landing").rglob(f"{resource}/*-*.parquet")
    return sum(1 + int(last) - int(first) for first, last in (s.stem.split("-") for s in segments))


def count(world: World, query: str) -> int:
    return int(world.query(query)[0][0])


def test_killed_while_extracting(february: World) -> None:
    world = february
    stats = world.api.state.stats
    kill_when(world, lambda: stats.describe()["served"].get("flights", {}).get("200", 0) >= 10)
    assert count(world, "SELECT count(*) FROM pg_tables WHERE tablename = 'flights'") == 0

    rerun = world.run()

    assert rerun.returncode == 0, rerun.stderr
    assert_tables_hold(world, FEBRUARY)
    assert world.query("SELECT status FROM assay.attempts ORDER BY attempt_no") == [
        ("crashed",),
        ("published",),
    ]
    assert count(world, "SELECT count(*) FROM assay.loads") == 1, "the same load was taken up again"


def test_killed_in_the_middle_of_copy(world: World) -> None:
    kill_when(world, lambda: count(world, COPYING) > 0)
    assert count(world, "SELECT count(*) FROM pg_tables WHERE tablename = 'flights'") == 0
    landed = landed_pages(world, "flights")
    world.api.state.stats.clear()

    rerun = world.run()

    assert rerun.returncode == 0, rerun.stderr
    assert_tables_hold(world, ALL_OF_2013)
    served = world.api.state.stats.describe()["served"].get("flights", {}).get("200", 0)
    assert served == FLIGHT_PAGES - landed, "landed pages are not asked for again"


def test_killed_just_before_commit(february: World) -> None:
    world = february
    world.execute(SLEEP_BEFORE_COMMIT)
    kill_when(world, lambda: count(world, DAWDLING) > 0)
    world.execute("DROP FUNCTION dawdle CASCADE")

    rerun = world.run()

    assert rerun.returncode == 0, rerun.stderr
    assert_tables_hold(world, FEBRUARY)


def test_killed_while_the_server_commits(february: World) -> None:
    """The commit holds although nobody is there to hear it; the rerun waits for it, then finds it."""
    world = february
    world.execute(SLEEP_IN_COMMIT)
    kill_when(world, lambda: count(world, DAWDLING) > 0)

    rerun = world.run()

    assert rerun.returncode == 0, rerun.stderr
    world.execute("DROP FUNCTION dawdle CASCADE")
    assert_tables_hold(world, FEBRUARY)


def test_killed_just_after_commit_is_still_told_of(february: World) -> None:
    world = february
    kill_when(world, lambda: count(world, "SELECT count(*) FROM assay.publications") > 0)
    assert world.query("SELECT status, told_at FROM assay.attempts") == [("published", None)]

    rerun = world.run()

    assert rerun.returncode == 0, rerun.stderr
    assert "no new rows" in rerun.stdout
    assert_published_once_and_told(world)


def assert_published_once_and_told(world: World) -> None:
    assert world.query("SELECT status, told_at IS NOT NULL FROM assay.attempts ORDER BY started_at") == [
        ("published", True),
        ("no new rows", True),
    ]
    load_id = world.query("SELECT load_id FROM assay.attempts WHERE status = 'published'")[0][0]
    assert (world.home / "reports" / "loads" / load_id / "1" / "index.html").is_file()
    for table in COLUMNS:
        assert set(read_table(world.dsn, table)) == known_by(read_source(table), table, FEBRUARY)
