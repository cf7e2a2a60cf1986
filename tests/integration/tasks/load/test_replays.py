"""Replays: loads of their own that do no harm to newer rows, nor to cursors."""

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from tasks.errors import ConfigurationError
from tasks.handover import Load
from tasks.load.connection import open_connection
from tasks.load.replays import open_replay
from tests.integration.tasks.load.builders import NOON, Shop, make_pipeline, make_table

EARLY, LATE = "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"


def rows(value: int, at: dt.datetime = NOON) -> pl.DataFrame:
    return pl.DataFrame({"id": [1], "value": [value], "updated_at": [at]})


def begin(shop: Shop, load_id: str, *, is_forced: bool = False) -> Load:
    with open_connection(shop.dsn) as conn:
        opened = open_replay(conn, shop.pipeline, load_id, is_forced=is_forced)
    work = Path(shop.folder, opened.load_id)
    work.mkdir()
    return Load(
        load_id=opened.load_id,
        attempt_no=opened.attempt_no,
        pipeline=shop.pipeline.name,
        cursors=opened.cursors,
        landing="",
        work=str(work),
        started_at=opened.started_at,
        replay_of=opened.replay_of,
    )


def load(shop: Shop, frame: pl.DataFrame, cursor: str | None = None, **how: Any) -> str:
    staged = shop.stage(frame, load=shop.begin(**how), cursor=cursor)
    shop.publish(staged)
    return staged.load.load_id


def cursor(shop: Shop) -> str | None:
    found = shop.query("SELECT value FROM assay.cursors")
    return str(found[0][0]) if found else None


def test_replay_is_a_load_of_its_own_named_after_the_first(shop: Shop) -> None:
    first = load(shop, rows(1), EARLY)

    replay = begin(shop, first)
    again = begin(shop, replay.load_id)

    assert replay.load_id.startswith(f"{first}-replay-")
    assert (replay.replay_of, again.replay_of) == (first, first)
    assert replay.cursors == {}, "as the first load asked"
    assert shop.query("SELECT status FROM assay.loads ORDER BY started_at") == [
        ("published",),
        ("abandoned",),
        ("open",),
    ]


def test_next_run_does_not_take_a_replay_up(shop: Shop) -> None:
    replay = begin(shop, load(shop, rows(1), EARLY))

    assert shop.begin().load_id != replay.load_id
    assert shop.query("SELECT status FROM assay.loads WHERE replay_of IS NOT NULL") == [("abandoned",)]


def test_replay_leaves_newer_rows_where_versions_tell(shop: Shop) -> None:
    shop.pipeline = make_pipeline(make_table(version_by="updated_at"))
    first = load(shop, rows(1), EARLY)
    load(shop, rows(2, NOON + dt.timedelta(1)), LATE)

    shop.publish(shop.stage(rows(1), load=begin(shop, first), cursor=EARLY))

    assert shop.query("SELECT value FROM items") == [(2,)]
    assert cursor(shop) == LATE


@pytest.mark.parametrize(
    "table",
    [
        make_table(),
        make_table(disposition="scd2"),
        make_table(version_by="updated_at", tombstone="gone"),
        make_table(disposition="replace", version_by="updated_at"),
    ],
    ids=["merge without versions", "scd2 without versions", "deleted rows", "replace"],
)
def test_replay_that_could_undo_a_later_load_is_refused(shop: Shop, table: Any) -> None:
    first = load(shop, rows(1), EARLY)
    last = load(shop, rows(2), LATE)
    shop.pipeline = make_pipeline(table, incremental=False)

    with pytest.raises(ConfigurationError, match=r"1 later load was published since .*--force"):
        begin(shop, first)

    assert begin(shop, first, is_forced=True).replay_of == first
    assert begin(shop, last).replay_of == last, "nothing was published after it"


def test_rows_without_a_key_are_not_put_in_twice(shop: Shop) -> None:
    keyless = make_table(disposition="append", primary_key=())
    shop.pipeline = make_pipeline(keyless, incremental=False)
    first = load(shop, rows(1))

    with pytest.raises(ConfigurationError, match="items has no primary_key"):
        begin(shop, first)


def test_replay_of_a_load_that_was_given_up_moves_the_cursor(shop: Shop) -> None:
    lost = shop.begin()
    load(shop, rows(1).clear(), fingerprint="other")

    shop.publish(shop.stage(rows(1), load=begin(shop, lost.load_id), cursor=LATE))

    assert cursor(shop) == LATE


@pytest.mark.parametrize(
    ("start", "published", "found", "moves"),
    [
        (EARLY, EARLY, LATE, True),
        (None, EARLY, LATE, True),
        (LATE, EARLY, "2024-01-03T00:00:00Z", False),
        (EARLY, None, LATE, False),
        (EARLY, LATE, EARLY, False),
        ("opaque-a", "opaque-a", "opaque-b", True),
        ("opaque-a", "opaque-c", "opaque-b", False),
        (None, "opaque-c", "opaque-b", False),
    ],
    ids=[
        "goes on",
        "holds everything",
        "beyond a gap",
        "a later part of nothing",
        "older",
        "opaque, goes on",
        "opaque, somewhere else",
        "opaque, from the beginning",
    ],
)
def test_replay_moves_a_cursor_only_on_from_where_it_stands(
    shop: Shop, start: str | None, published: str | None, found: str, moves: bool
) -> None:
    first = load(shop, rows(1), published)
    replay = begin(shop, first)

    replay = msgspec.structs.replace(replay, cursors={"items": start})
    shop.publish(shop.stage(rows(1), load=replay, cursor=found))

    assert cursor(shop) == (found if moves else published)


def test_load_of_another_pipeline_is_not_replayed(shop: Shop) -> None:
    first = load(shop, rows(1), EARLY)
    shop.pipeline = make_pipeline(name="mart")

    with pytest.raises(ConfigurationError, match="a load of 'shop', not of 'mart'"):
        begin(shop, first)
    with pytest.raises(ConfigurationError, match="a load of no pipeline"):
        begin(shop, "mart-1")
