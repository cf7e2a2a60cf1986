"""What goes wrong while records are streamed ends the extraction at once, and can be tried again."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest import mock

import polars as pl
import psycopg
import pytest
from msgspec import Struct

from flows.streaming import ResourceStream
from tasks.errors import ConfigurationError, RetriableError
from tasks.extract.client import open_client
from tasks.extract.extract import extract_resource
from tasks.handover import Extracted, Load
from tasks.load.connection import open_connection
from tasks.load.load import Target
from tasks.load.staging import ensure_statistics, prepare_staging
from tasks.load.streaming import StagingStream
from tasks.pipeline import Cursor, Frames, Pipeline, Resource, RestApi, Table
from tests.integration.tasks.extract.serving import Handler, serving

PAGE, PAGES = 50, 8
_pieces = StagingStream._pieces
STAGED = "SELECT count(*) FROM assay_staging.abc_orders"
OPEN_CONNECTIONS = (
    "SELECT pid FROM pg_stat_activity "
    "WHERE application_name = 'assay' AND datname = current_database() AND pid <> pg_backend_pid()"
)
ENDED = OPEN_CONNECTIONS.replace("SELECT pid", "SELECT pg_terminate_backend(pid)")
KNOWN_ROWS = "SELECT reltuples::int8 FROM pg_class WHERE relname = 'abc_orders'"


class Order(Struct, frozen=True):
    id: int


ORDERS = Resource(name="orders", path="/", record=Order, paginator=Cursor(next="next"))


def keep(frames: Frames) -> Frames:
    return frames


def fail_from(page: int) -> Callable[[Frames], Frames]:
    """A transform that fails on the records of this page."""
    late = pl.when(pl.col("id") >= page * PAGE).then(pl.lit("x")).otherwise(pl.lit("1"))
    return lambda frames: {"orders": frames["orders"].with_columns(late.cast(pl.Int64).alias("late"))}


def spoil_from(page: int) -> Callable[[Frames], Frames]:
    """A transform that makes a text of the records of this page that Postgres cannot hold."""
    text = pl.when(pl.col("id") >= page * PAGE).then(pl.lit("a\0b")).otherwise(pl.lit("a"))
    return lambda frames: {"orders": frames["orders"].with_columns(text.alias("text"))}


def make_pipeline(url: str, transform: Callable[[Frames], Frames] = keep) -> Pipeline:
    return Pipeline(
        name="shop",
        source=RestApi(base_url=url),
        resources=(ORDERS,),
        transform=transform,
        streamable=True,
        tables=(Table(name="orders", primary_key=("id",)),),
    )


@pytest.fixture
def load(dsn: str, tmp_path: Path) -> Load:
    with open_connection(dsn) as conn:
        prepare_staging(conn)
    return Load(
        load_id="shop-1-abc",
        attempt_no=1,
        pipeline="shop",
        cursors={},
        landing=str(tmp_path / "raw"),
        work=str(tmp_path / "work"),
        started_at=dt.datetime.now(dt.UTC),
    )


class Shop:
    """An API of eight pages, whose last ones can be held back, or refused."""

    def __init__(self) -> None:
        self.hold_from = self.refuse_from = PAGES
        self.released = threading.Event()
        self.was_held_for_ever = False

    def respond(self, handler: Handler, _: int) -> None:
        number = int(handler.query.get("cursor", "0"))
        if number >= self.hold_from:
            self.was_held_for_ever |= not self.released.wait(10)
        if number >= self.refuse_from:
            handler.send_json({}, 403)
            return
        rows = [{"id": n} for n in range(number * PAGE, (number + 1) * PAGE)]
        following = str(number + 1) if number + 1 < PAGES else None
        handler.send_json({"data": rows, "next": following})


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.released.set()


def extract(pipeline: Pipeline, load: Load, stream: ResourceStream) -> Extracted:
    """In parts of one page each."""
    with (
        mock.patch("tasks.extract.decoding.parts.PART_ROWS", PAGE),
        mock.patch("tasks.extract.decoding.records._CHUNK_ROWS", PAGE),
        open_client(pipeline.source, "shop", str) as client,
    ):
        return extract_resource(client, ORDERS, load, stream=stream)


@contextmanager
def shop_served(
    shop: Shop, dsn: str, load: Load, transform: Callable[[Frames], Frames] = keep
) -> Iterator[Callable[[], Extracted]]:
    """An extraction to be called, as often as it is tried, all with the same stream."""
    with serving(shop.respond) as (url, _):
        pipeline = make_pipeline(url, transform)
        with closing(ResourceStream(pipeline, ORDERS, load, Target(dsn))) as stream:
            yield lambda: extract(pipeline, load, stream)
            shop.released.set()


def query(dsn: str, text: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        return conn.execute(text.encode()).fetchall()


def wait_for(dsn: str, text: str, wanted: list[tuple[object, ...]]) -> None:
    for _ in range(200):
        if (found := query(dsn, text)) == wanted:
            return
        time.sleep(0.02)
    assert found == wanted


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (spoil_from(3), r"orders: Postgres cannot hold a value"),
        (
            fail_from(3),
            r"for table 'orders', which is given one resource at a time \(streamable=True\), fails",
        ),
    ],
)
def test_what_fails_behind_the_api_is_raised_while_the_api_is_waited_for(
    shop: Shop, dsn: str, load: Load, transform: Callable[[Frames], Frames], message: str
) -> None:
    """The page after the bad one never comes: without a look now and then, nor would the error."""
    shop.hold_from = 4
    with shop_served(shop, dsn, load, transform) as attempt, pytest.raises(ConfigurationError, match=message):
        attempt()
    assert not shop.was_held_for_ever
    wait_for(dsn, OPEN_CONNECTIONS, [])


def test_what_fails_in_the_last_part_fails_the_extraction(shop: Shop, dsn: str, load: Load) -> None:
    spoiling = shop_served(shop, dsn, load, spoil_from(PAGES - 1))
    with spoiling as attempt, pytest.raises(ConfigurationError, match="cannot hold"):
        attempt()
    wait_for(dsn, OPEN_CONNECTIONS, [])


def test_a_failure_of_the_api_ends_what_is_streamed(shop: Shop, dsn: str, load: Load) -> None:
    shop.refuse_from = 5
    with shop_served(shop, dsn, load) as attempt, pytest.raises(match="403"):
        attempt()
    wait_for(dsn, OPEN_CONNECTIONS, [])


def test_a_backend_that_is_terminated_between_two_parts_is_no_more_than_a_retry(
    shop: Shop, dsn: str, load: Load
) -> None:
    shop.hold_from = 4
    errors: list[BaseException] = []

    def end_and_go_on() -> None:
        wait_for(dsn, STAGED, [(4 * PAGE,)])
        query(dsn, ENDED)
        shop.released.set()

    with shop_served(shop, dsn, load) as attempt:
        with open_connection(dsn) as conn:
            conn.execute("CREATE TABLE assay_staging.abc_orders ()")
        ender = threading.Thread(target=lambda: errors.extend(_errors_of(end_and_go_on)))
        ender.start()
        with pytest.raises(RetriableError, match="Nothing is published by half; run the pipeline again"):
            attempt()
        ender.join()
        (table,) = attempt().transformed
    assert errors == []
    assert query(dsn, STAGED) == [(PAGES * PAGE,)]
    assert (table.row_count, table.is_staged) == (PAGES * PAGE, True)


def _errors_of(act: Callable[[], None]) -> Iterator[BaseException]:
    try:
        act()
    except Exception as exc:  # noqa: BLE001  a thread's, looked at by the test
        yield exc


def test_what_a_resumed_extraction_cannot_stream_is_not_taken_for_a_forgotten_cursor(
    shop: Shop, dsn: str, load: Load
) -> None:
    """Else what is landed would be thrown away, and asked for again, at every attempt."""
    shop.refuse_from = 4
    is_later = threading.Event()

    def spoil_later(frames: Frames) -> Frames:
        return spoil_from(3)(frames) if is_later.is_set() else frames

    with shop_served(shop, dsn, load, spoil_later) as attempt:
        with pytest.raises(ConfigurationError, match="403"):
            attempt()
        is_later.set()
        shop.hold_from = 4
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="Postgres cannot hold a value"):
                attempt()


def test_a_retry_does_not_mind_that_the_statistics_of_the_first_attempt_are_still_gathered(
    shop: Shop, dsn: str, load: Load
) -> None:
    with shop_served(shop, dsn, load) as attempt:
        with mock.patch("tasks.load.streaming.ensure_statistics", _linger):
            assert attempt().received == PAGES * PAGE
        (table,) = attempt().transformed
    assert query(dsn, STAGED) == [(table.row_count,)]
    wait_for(dsn, OPEN_CONNECTIONS, [])


def _linger(conn: psycopg.Connection[tuple[object, ...]], name: str, *_: object, **__: object) -> None:
    """As an ANALYZE that takes its time, with its lock."""
    with conn.transaction():
        conn.execute(f"LOCK TABLE assay_staging.{name} IN SHARE UPDATE EXCLUSIVE MODE".encode())
        conn.execute("SELECT pg_sleep(0.5)")


@pytest.mark.usefixtures("load")
def test_statistics_of_a_part_of_the_rows_are_gathered_again(dsn: str) -> None:
    """As when autovacuum comes by while an API is read that takes its time."""
    with open_connection(dsn) as conn:
        conn.execute("CREATE TABLE assay_staging.abc_orders AS SELECT generate_series(1, 50) AS id")
        conn.execute("ANALYZE assay_staging.abc_orders")
        conn.execute("INSERT INTO assay_staging.abc_orders SELECT generate_series(51, 100)")
        declared = Table(name="orders", primary_key=("id",))
        ensure_statistics(conn, "abc_orders", declared, 100, statement_timeout_s=60)
    assert query(dsn, KNOWN_ROWS) == [(100,)]


def test_a_copy_that_is_under_way_ends_when_the_api_fails(shop: Shop, dsn: str, load: Load) -> None:
    """However long it would have taken: here it waits before each of its pieces."""
    shop.hold_from = shop.refuse_from = 2
    pieces: list[memoryview] = []

    def tarry(stream: StagingStream, encoded: memoryview) -> Iterator[memoryview]:
        for piece in _pieces(stream, memoryview(bytes(encoded) * 1000)):
            pieces.append(piece)
            shop.released.set()
            time.sleep(0.002)
            yield piece

    with (
        mock.patch.multiple("tasks.load.streaming", PIECE_BYTES=10),
        mock.patch.object(StagingStream, "_pieces", tarry),
        shop_served(shop, dsn, load) as attempt,
        pytest.raises(ConfigurationError, match="403"),
    ):
        attempt()
    assert 0 < len(pieces) < 1000
    assert query(dsn, STAGED) == [(0,)]
    wait_for(dsn, OPEN_CONNECTIONS, [])
