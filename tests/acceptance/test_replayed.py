"""Raw responses are enough: tables are rebuilt without the API, a load goes on where nothing else is left."""

import dataclasses
import shutil
from collections.abc import Iterator

import pytest
from s3fs import S3FileSystem

from tests.acceptance.conftest import World
from tests.acceptance.source import COLUMNS, hash_tables
from tests.acceptance.test_blocked import REFUSE_PUBLICATIONS
from tests.integration.tasks.extract.landing.s3_server import S3Server, s3_server

TABLES = ", ".join((*COLUMNS, "daily_delays"))
LOADS = "SELECT load_id FROM assay.loads ORDER BY started_at"
CURSORS = "SELECT resource, value FROM assay.cursors ORDER BY 1"


@pytest.fixture
def january(world: World) -> World:
    """The first two days of 2013: 1,700 flights."""
    world.control("clock", now="2013-01-03T00:00:00Z")
    return world


@pytest.fixture
def server() -> Iterator[S3Server]:
    """A real S3 server with the bucket `zone`."""
    S3FileSystem.clear_instance_cache()
    with s3_server() as server:
        server.client.create_bucket(Bucket="zone")
        yield server
    S3FileSystem.clear_instance_cache()


def without_api(world: World) -> World:
    """The same world when its API is gone, and the secret with it."""
    gone = {"ASSAY_BASE_URL_NYC_FLIGHTS": "http://127.0.0.1:9", "ASSAY_SECRET_NYC_FLIGHTS_TOKEN": ""}
    return dataclasses.replace(world, extra=world.extra | gone)


def test_lost_tables_are_rebuilt_from_what_two_loads_landed(january: World) -> None:
    world = january
    assert world.run().returncode == 0
    world.control("clock", now="2013-01-04T00:00:00Z")
    world.control("correct", resource="airlines", ids=[1], set={"name": "Endeavor"})
    assert world.run().returncode == 0
    before, cursors = hash_tables(world.dsn), world.query(CURSORS)
    first, second = (load for (load,) in world.query(LOADS))
    world = without_api(world)

    older = world.run("replay", "--load", first)
    after_older = hash_tables(world.dsn)
    world.execute(f"DROP TABLE {TABLES}")
    rebuilt = [world.run("replay", "--load", load) for load in (first, second)]

    assert [done.returncode for done in (older, *rebuilt)] == [0, 0, 0], older.stderr
    assert after_older == before, "newer rows stay"
    assert hash_tables(world.dsn) == before
    assert world.query(CURSORS) == cursors, "a replay of what is published moves no cursor"
    replays = "SELECT replay_of FROM assay.loads WHERE replay_of IS NOT NULL ORDER BY started_at"
    assert world.query(replays) == [(first,), (first,), (second,)]


def test_blocked_load_is_replayed_and_accepted_without_the_api(january: World) -> None:
    world = january
    wind = {"wind_speed": 900.0}
    world.control("correct", resource="weather", ids=list(range(1, 31)), set=wind)
    assert world.run().returncode == 1
    blocked = world.query(LOADS)[0][0]

    still = without_api(world).run("replay", "--load", blocked)
    accepted = world.here("accept", world.query(LOADS)[1][0], "--reason", "the storm was real")

    assert still.returncode == 1
    assert "wind_speed_mph" in still.stderr
    assert accepted.returncode == 0, accepted.stderr
    assert world.query("SELECT status FROM assay.loads ORDER BY started_at") == [
        ("blocked",),
        ("published",),
    ]
    assert world.query("SELECT count(*) FROM assay.cursors") == [(5,)], "the next run goes on from there"


def test_load_that_was_never_landed_here_is_not_replayed(january: World) -> None:
    world = january
    assert world.run().returncode == 0
    load = world.query(LOADS)[0][0]
    shutil.rmtree(world.home / "landing" / load)

    pruned = world.run("replay", "--load", load)
    unknown = world.run("replay", "--load", "nyc_flights-1")

    assert pruned.returncode == 2
    assert "holds no pages of this resource" in pruned.stderr
    assert unknown.returncode == 2
    assert "assay status nyc_flights" in " ".join(unknown.stderr.split())


def test_load_goes_on_from_a_bucket_on_a_machine_that_has_nothing(january: World, server: S3Server) -> None:
    extra = server.env | {"ASSAY_LANDING_URL": "s3://zone/assay"}
    world = dataclasses.replace(january, extra=extra)
    world.execute(REFUSE_PUBLICATIONS)
    assert world.run().returncode == 1
    world.execute("DROP FUNCTION refuse CASCADE")
    shutil.rmtree(world.home)
    world.api.state.stats.clear()

    rerun = world.run()

    assert rerun.returncode == 0, rerun.stderr
    assert world.api.state.stats.describe()["served"] == {}, "landed pages are not asked for again"
    assert world.query("SELECT count(*) FROM assay.loads") == [(1,)]
    assert world.query("SELECT count(*) > 1000 FROM flights") == [(True,)]
    keys = server.list_keys("zone")
    assert sum(key.endswith("_complete") for key in keys) == len(COLUMNS)
    assert not (world.home / "landing").exists()


def test_bucket_that_fails_publishes_nothing_and_the_next_run_goes_on(
    january: World, server: S3Server
) -> None:
    world = dataclasses.replace(january, extra=server.env | {"ASSAY_LANDING_URL": "s3://zone/assay"})
    server.mode, server.fails = "500", "flights/00000001"

    failed = world.run()
    server.mode = "well"

    assert failed.returncode == 1
    said = " ".join(failed.stderr.split())
    assert said.count("the server answers 500 InternalError") == 1
    assert "Traceback" not in said
    assert world.query("SELECT count(*) FROM assay.publications") == [(0,)]
    assert world.run().returncode == 0
    assert world.query("SELECT status FROM assay.attempts ORDER BY attempt_no") == [
        ("failed",),
        ("published",),
    ]
