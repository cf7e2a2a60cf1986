"""A batch that fails critically: nothing changes, people hear of it once, a person may accept it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.acceptance.conftest import World
from tests.acceptance.source import find_id, hash_tables

BROKEN_HOURS = 30
REFUSE_PUBLICATIONS = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE 'not now'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON assay.publications FOR EACH ROW EXECUTE FUNCTION refuse();
"""


def break_weather(world: World) -> None:
    """More impossible wind speeds than the suite's budget allows, and a good change beside them."""
    world.control(
        "correct", resource="weather", ids=list(range(1, BROKEN_HOURS + 1)), set={"wind_speed": 900.0}
    )
    world.control("correct", resource="airlines", ids=[1], set={"name": "Endeavor"})


@contextmanager
def watching_readers(world: World) -> Iterator[set[str]]:
    """Read a hash of all tables in one snapshot, over and over; yields the set of what was seen."""
    seen: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        with psycopg.connect(world.dsn) as conn:
            while not done.is_set():
                with conn.transaction():
                    conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    row = conn.execute(
                        "SELECT (SELECT md5(string_agg(w::text, '' ORDER BY w::text)) FROM weather w)"
                        " || (SELECT md5(string_agg(a::text, '' ORDER BY a::text)) FROM airlines a)"
                    ).fetchone()
                assert row is not None
                seen.add(str(row[0]))
                time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def alerts(world: World) -> list[tuple[str, bool]]:
    """Status of each attempt in order, and whether its blocking expectation alerted."""
    return world.query(
        "SELECT a.status, coalesce(bool_or(v.alert) FILTER (WHERE v.blocks), false) FROM assay.attempts a "
        "LEFT JOIN assay.validations v USING (load_id, attempt_no) "
        "GROUP BY a.load_id, a.attempt_no ORDER BY a.started_at"
    )


def test_blocked_load_changes_nothing_until_a_person_accepts_it(february: World) -> None:
    world = february
    assert world.run().returncode == 0
    before = hash_tables(world.dsn)
    break_weather(world)

    with watching_readers(world) as seen:
        blocked = world.run()
        again = world.run()

    assert blocked.returncode == again.returncode == 1
    assert "wind_speed_mph" in blocked.stderr
    assert "assay accept" in blocked.stderr
    assert hash_tables(world.dsn) == before
    assert len(seen) == 1
    assert alerts(world) == [("published", False), ("blocked", True), ("blocked", False)]

    status = world.assay("status")
    assert "Blocked by 1 of" in status.stdout
    assert f"{BROKEN_HOURS} of" in status.stdout

    load_id = world.query("SELECT load_id FROM assay.loads WHERE status = 'blocked'")[0][0]
    report = Path(world.home, "reports", "loads", load_id, "1", "index.html").read_text()
    assert "wind_speed_mph" in report

    world.execute(REFUSE_PUBLICATIONS)
    assert world.assay("accept", load_id, "--reason", "the storm was real").returncode == 1
    world.execute("DROP FUNCTION refuse CASCADE")
    assert hash_tables(world.dsn) == before

    accepted = world.assay("accept", load_id, "--reason", "the storm was real")
    assert accepted.returncode == 0, accepted.stderr
    assert world.query("SELECT name FROM airlines WHERE carrier = '9E'") == [("Endeavor",)]
    assert world.query("SELECT count(*) FROM weather WHERE wind_speed_mph > 200") == [(0,)]
    assert world.query(
        "SELECT count(*) FROM assay.quarantine WHERE closed_at IS NULL AND row ? 'wind_speed_mph'"
    ) == [(BROKEN_HOURS + 1,)]
    accepted_attempts = "SELECT status, accept_reason FROM assay.attempts WHERE accepted_by IS NOT NULL"
    assert world.query(f"{accepted_attempts} ORDER BY started_at") == [
        ("failed", "the storm was real"),
        ("published", "the storm was real"),
    ]
    assert world.run().returncode == 0
    assert alerts(world)[-2:] == [("published", False), ("no new rows", False)]


def test_mended_data_recovers_and_closes_the_quarantine(february: World) -> None:
    world = february
    assert world.run().returncode == 0
    break_weather(world)
    assert world.run().returncode == 1

    world.control(
        "correct", resource="weather", ids=list(range(1, BROKEN_HOURS + 1)), set={"wind_speed": 9.0}
    )
    mended = world.run()

    assert mended.returncode == 0, mended.stderr
    assert world.query("SELECT count(*) FROM weather WHERE wind_speed_mph = 9") == [(BROKEN_HOURS,)]
    assert world.query("SELECT count(*) FROM assay.loads") == [(2,)], "the blocked load was taken up again"


def test_storm_row_is_quarantined_on_the_increment_of_its_own_day(world: World) -> None:
    world.control("clock", now="2013-02-12T05:00:00Z")
    assert world.run().returncode == 0
    assert world.query("SELECT count(*) FROM assay.quarantine WHERE table_name = 'weather'") == [(0,)]

    world.control("clock", now="2013-02-13T05:00:00Z")
    increment = world.run()

    assert increment.returncode == 0, increment.stderr
    assert world.query(
        "SELECT received, quarantined, inserted, verdict FROM assay.table_loads JOIN assay.attempts "
        "USING (load_id, attempt_no) WHERE table_name = 'weather' ORDER BY started_at DESC LIMIT 1"
    ) == [(72, 1, 71, "passed")]
    assert world.query(
        "SELECT row -> 'wind_speed_mph' FROM assay.quarantine WHERE table_name = 'weather'"
    ) == [(1048.36058,)]


def test_good_version_of_a_quarantined_row_closes_its_entry(february: World) -> None:
    world = february
    assert world.run().returncode == 0
    storm = "SELECT closed_by IS NOT NULL FROM assay.quarantine WHERE row ->> 'wind_speed_mph' = '1048.36058'"
    assert world.query(storm) == [(False,)]
    number = find_id("weather", wind_speed="1048.36058")

    world.control("correct", resource="weather", ids=[number], set={"wind_speed": 10.35702})
    assert world.run().returncode == 0

    assert world.query(storm) == [(True,)]
    assert world.query(
        "SELECT wind_speed_mph FROM weather WHERE origin = 'EWR' AND time_hour = '2013-02-12 08:00+00'"
    ) == [(10.35702,)]
