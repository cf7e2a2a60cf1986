"""The yardstick: flights as one would write the load by hand, without a net.

Four threads fetch, in an ordered bounded window; one thread decodes; batches of 20,000 rows go as CSV into
one COPY on a writer thread; straight into a new table, keyed afterwards, in one transaction. No landing zone,
no validation, no quarantine, no resumption.
"""

import datetime as dt
import io
import json
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import msgspec
import polars as pl
import psycopg
import requests

THREADS = int(os.environ.get("BENCH_CONNECTIONS", "4"))
BATCH_ROWS = 20_000


class Flight(msgspec.Struct):
    """A flight as the API sends it."""

    id: int
    year: int
    month: int
    day: int
    dep_time: int | None
    sched_dep_time: int
    dep_delay: int | None
    arr_time: int | None
    sched_arr_time: int
    arr_delay: int | None
    carrier: str
    flight: int
    tailnum: str | None
    origin: str
    dest: str
    air_time: int | None
    distance: int
    hour: int
    minute: int
    time_hour: dt.datetime
    updated_at: dt.datetime


class Page(msgspec.Struct):
    """A page of the API."""

    data: list[Flight]
    pages: int


TYPES: dict[type, type[pl.DataType] | pl.DataType] = {
    int: pl.Int64,
    str: pl.String,
    dt.datetime: pl.Datetime("us", "UTC"),
}
SQL = {int: "bigint", str: "text", dt.datetime: "timestamptz"}
FIELDS = {field.name: field.type for field in msgspec.structs.fields(Flight)}
PLAIN = {
    name: next(t for t in TYPES if t in getattr(kind, "__args__", (kind,))) for name, kind in FIELDS.items()
}


def fetch_pages(session: requests.Session, url: str) -> Iterator[Page]:
    decoder = msgspec.json.Decoder(Page)

    def get(number: int) -> bytes:
        response = session.get(f"{url}/flights", params={"page": str(number), "per_page": "1000"}, timeout=30)
        response.raise_for_status()
        return response.content

    first = decoder.decode(get(1))
    yield first
    numbers = iter(range(2, first.pages + 1))
    with ThreadPoolExecutor(THREADS) as pool:
        window: deque[Future[bytes]] = deque(pool.submit(get, n) for n in islice(numbers, 2 * THREADS))
        while window:
            body = window.popleft().result()
            if (number := next(numbers, None)) is not None:
                window.append(pool.submit(get, number))
            yield decoder.decode(body)


def as_csv(rows: list[Flight]) -> bytes:
    columns = zip(*map(msgspec.structs.astuple, rows), strict=True)
    frame = pl.DataFrame(
        [
            pl.Series(name, values, dtype=TYPES[PLAIN[name]])
            for name, values in zip(FIELDS, columns, strict=True)
        ]
    )
    target = io.BytesIO()
    frame.write_csv(target, include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.6f+00")
    return target.getvalue()


def write(dsn: str, chunks: "queue.Queue[bytes | None]", failures: list[BaseException]) -> None:
    columns = ", ".join(f"{name} {SQL[kind]}" for name, kind in PLAIN.items())
    try:
        with psycopg.connect(dsn) as conn, conn.cursor() as cursor:
            cursor.execute(f"CREATE TABLE flights ({columns})")
            with cursor.copy("COPY flights FROM STDIN (FORMAT csv)") as copy:
                while (chunk := chunks.get()) is not None:
                    copy.write(chunk)
            cursor.execute("ALTER TABLE flights ADD PRIMARY KEY (id)")
    except BaseException as exc:  # noqa: BLE001  raised by the main thread
        failures.append(exc)
        while chunks.get() is not None:
            pass


def main() -> None:
    dsn, url, token = (os.environ[name] for name in ("BENCH_DSN", "BENCH_API", "BENCH_TOKEN"))
    started = time.perf_counter()
    chunks: queue.Queue[bytes | None] = queue.Queue(4)
    failures: list[BaseException] = []
    writer = threading.Thread(target=write, args=(dsn, chunks, failures))
    writer.start()
    rows, count = [], 0
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=THREADS))
        for page in fetch_pages(session, url):
            rows += page.data
            if len(rows) >= BATCH_ROWS:
                count += len(rows)
                chunks.put(as_csv(rows))
                rows = []
    if rows:
        count += len(rows)
        chunks.put(as_csv(rows))
    chunks.put(None)
    writer.join()
    if failures:
        raise failures[0]
    print(json.dumps({"steady_s": time.perf_counter() - started, "rows": count}))


if __name__ == "__main__":
    main()
