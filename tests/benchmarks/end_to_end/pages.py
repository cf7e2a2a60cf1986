"""Pages made before anything is measured: the flights once or ten times, ten million readings, 100 orders.

A resource is one file of all its pages, and an index of where each begins.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import requests

READINGS, READINGS_A_PAGE = 10_000_000, 10_000
SENSORS = 1000
IMPLAUSIBLE = 100_000
"""Every so many readings, one is of no use."""


def write_pages(folder: Path, name: str, pages: Iterable[bytes]) -> None:
    """Keep the pages of one resource, and where each of them begins."""
    ends, end = [], 0
    with folder.joinpath(f"{name}.pages").open("wb") as file:
        for page in pages:
            end += file.write(page)
            ends.append(end)
    folder.joinpath(f"{name}.ends").write_text(json.dumps(ends))


def flight_pages(api_url: str, token: str, copies: int) -> Iterator[bytes]:
    """The demo API's flights, `copies` times: each copy with ids and flight numbers of its own."""
    first = list(_read_flights(api_url, token))
    rows, total = sum(len(page) for page in first), len(first) * copies
    for copy in range(copies):
        for page in first:
            for flight in page if copy else ():
                flight["id"] += rows
                flight["flight"] += 10_000
            yield msgspec.json.encode({"data": page, "pages": total, "total": rows * copies})


def _read_flights(api_url: str, token: str) -> Iterator[list[dict[str, Any]]]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        number, pages = 1, 1
        while number <= pages:
            response = session.get(
                f"{api_url}/flights", params={"page": str(number), "per_page": "1000"}, timeout=30
            )
            response.raise_for_status()
            body = msgspec.json.decode(response.content)
            number, pages = number + 1, body["pages"]
            yield body["data"]


def reading_pages(count: int = READINGS) -> Iterator[bytes]:
    """Readings of sensors: one in `IMPLAUSIBLE` is of 999 °C."""
    pages = count // READINGS_A_PAGE
    number = pl.int_range(READINGS_A_PAGE, eager=True, dtype=pl.Int64)
    for page in range(pages):
        ids = number + page * READINGS_A_PAGE + 1
        celsius = (ids * 7919 % 40_000) / 1000 - 10
        frame = pl.DataFrame({"id": ids}).with_columns(
            sensor=pl.col("id") % SENSORS + 1,
            celsius=pl.when(pl.col("id") % IMPLAUSIBLE == 0).then(999.0).otherwise(celsius),
            read_at=(pl.datetime(2024, 1, 1) + pl.duration(seconds="id")).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        yield b'{"pages":%d,"data":%b}' % (pages, frame.write_json().encode())


def order_pages() -> Iterator[bytes]:
    """One page of a hundred orders; the last one's total is below zero."""
    orders = [
        {
            "id": number,
            "total": 12.5 * number if number < 100 else -1.0,
            "country": ("DE", "FR", "IT", "ES")[number % 4],
            "ordered_at": f"2024-03-{number % 28 + 1:02}T12:00:00Z",
            "note": None if number % 3 else "urgent",
        }
        for number in range(1, 101)
    ]
    yield msgspec.json.encode({"data": orders, "pages": 1, "total": 100})
