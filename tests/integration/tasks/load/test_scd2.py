"""Slowly changing dimensions: every version with its time, whatever the order in which versions come."""

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.errors import ConfigurationError, RetriableError
from tasks.load.connection import Connection, open_connection
from tests.integration.tasks.load import playing
from tests.integration.tasks.load.builders import NOON, Shop, make_pipeline, make_table, with_reason

VERSIONS = make_table(disposition="scd2", version_by="version", tombstone="gone")
SNAPSHOTS = make_table(disposition="scd2")
SCHEMA = pl.Schema({"id": pl.Int64(), "version": pl.Int64(), "gone": pl.Boolean(), "name": pl.String()})
ALL = "SELECT id, name, valid_from, valid_to FROM items ORDER BY 1, 3"
Version = tuple[int, int, bool, str]
HISTORY = st.lists(
    st.tuples(st.integers(1, 2), st.integers(1, 6), st.booleans(), st.sampled_from("ab")),
    min_size=1,
    max_size=10,
)


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    with open_connection(dsn) as conn:
        yield conn


def versions(*rows: Version) -> pl.DataFrame:
    return pl.DataFrame(list(rows), SCHEMA, orient="row")


def as_of(conn: Connection, time: int) -> dict[Any, Any]:
    query = "SELECT id, name FROM items WHERE valid_from <= %s AND (valid_to > %s OR valid_to IS NULL)"
    rows = conn.execute(query, (time, time)).fetchall()
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: row[1] for row in rows}


def known_as_of(history: list[Version], time: int) -> dict[int, str]:
    """The oracle: the newest version of each key that is not later, unless it is a deletion."""
    newest: dict[int, Version] = {}
    for version in history:
        if version[1] <= time and (version[0] not in newest or newest[version[0]][1] <= version[1]):
            newest[version[0]] = version
    return {key: name for key, (_, _, is_gone, name) in newest.items() if not is_gone}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORY, size=st.integers(1, 4))
def test_as_of_any_time_the_newest_version_is_seen_in_whatever_order_they_came(
    conn: Connection, tmp_path: Path, history: list[Version], size: int
) -> None:
    """A version that comes again is a correction, so the last one of each time counts."""
    batches = [history[start : start + size] for start in range(0, len(history), size)]
    with conn.transaction(force_rollback=True):
        for batch in batches:
            newest = {version[:2]: version for version in batch}
            playing.load(conn, tmp_path, VERSIONS, versions(*newest.values()))
            assert playing.load(conn, tmp_path, VERSIONS, versions(*newest.values())).is_nothing
        for time in range(8):
            assert as_of(conn, time) == known_as_of(history, time)
        ranges: list[Any] = conn.execute(
            "SELECT id, valid_from, valid_to FROM items ORDER BY 1, 2"
        ).fetchall()
    for (key, begin, end), (next_key, next_begin, _) in pairwise(ranges):
        assert end is None or begin <= end
        assert key != next_key or (end is not None and end <= next_begin)


def test_a_late_correction_takes_its_place(conn: Connection, tmp_path: Path) -> None:
    playing.load(conn, tmp_path, VERSIONS, versions((1, 10, False, "a"), (1, 30, False, "c")))
    changes = playing.load(conn, tmp_path, VERSIONS, versions((1, 20, False, "b"), (1, 10, False, "A")))
    assert conn.execute(ALL).fetchall() == [(1, "A", 10, 20), (1, "b", 20, 30), (1, "c", 30, None)]
    assert (changes.inserted, changes.updated) == (1, 1)


def at(hour: int) -> dt.datetime:
    return NOON + dt.timedelta(hours=hour)


def test_snapshots_end_what_changed_and_what_is_gone(conn: Connection, tmp_path: Path) -> None:
    frames = [
        {"id": [1, 2, 3], "name": ["a", "b", None]},
        {"id": [1, 2], "name": ["a", "B"]},
        {"id": [3, 1, 2], "name": ["c", "a", "B"]},
    ]
    changes = [
        playing.load(conn, tmp_path, SNAPSHOTS, pl.DataFrame(frame), at(hour))
        for hour, frame in enumerate(frames)
    ]
    assert conn.execute(ALL).fetchall() == [
        (1, "a", at(0), None),
        (2, "b", at(0), at(1)),
        (2, "B", at(1), None),
        (3, None, at(0), at(1)),
        (3, "c", at(2), None),
    ]
    assert [(c.inserted, c.updated, c.deleted, c.unchanged) for c in changes] == [
        (3, 0, 0, 0),
        (0, 1, 1, 1),
        (1, 0, 0, 2),
    ]


def test_a_clock_that_was_put_back_writes_no_version_that_ends_before_it_begins(
    conn: Connection, tmp_path: Path
) -> None:
    playing.load(conn, tmp_path, SNAPSHOTS, pl.DataFrame({"id": [1], "name": ["a"]}), at(1))
    with pytest.raises(RetriableError, match="clock"):
        playing.load(conn, tmp_path, SNAPSHOTS, pl.DataFrame({"id": [1], "name": ["b"]}), at(0))


def test_whole_loads_keep_history_and_what_is_quarantined_stays_current(dsn: str, tmp_path: Path) -> None:
    shop = Shop(dsn, tmp_path, make_pipeline(SNAPSHOTS, incremental=False))
    frame = pl.DataFrame({"id": [1, 2], "name": ["a", "b"]})
    shop.load(frame)
    shop.load(frame.head(1), quarantine=with_reason(frame.tail(1)))
    current = "SELECT id FROM items WHERE valid_to IS NULL ORDER BY 1"
    assert shop.query(current) == [(1,), (2,)]
    assert shop.load(frame.clear()).status == "blocked"
    shop.load(frame.head(1))
    assert shop.query(current) == [(1,)]


def test_increments_end_nothing_that_they_do_not_mention(dsn: str, tmp_path: Path) -> None:
    shop = Shop(dsn, tmp_path, make_pipeline(SNAPSHOTS))
    for key in (1, 2):
        shop.load(pl.DataFrame({"id": [key]}))
    assert shop.query("SELECT id, valid_to FROM items ORDER BY 1") == [(1, None), (2, None)]


def test_columns_by_the_names_of_the_validity_are_refused(dsn: str, tmp_path: Path) -> None:
    shop = Shop(dsn, tmp_path, make_pipeline(SNAPSHOTS))
    with pytest.raises(ConfigurationError, match="scd2 adds the columns valid_from and valid_to"):
        shop.load(pl.DataFrame({"id": [1], "valid_to": [1]}))
