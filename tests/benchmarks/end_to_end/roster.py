"""Who takes part in what: each scenario's contestants, and where their data comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FLIGHTS = 336_776
Who = Literal["assay", "yardstick", "peer"]
Source = Literal["demo", "flights", "flights_slow", "tenfold", "readings", "orders"]


@dataclass(frozen=True)
class Contestant:
    """One command.

    Attributes:
        name: What it is called in the results.
        words: The command; after `-m` for what runs on the project's Python, a script for a peer.
        who: Whose Python runs it.
        source: What the API sends.
        again: The command that loads the same once more, where there is one.
        rows: How many rows its table must have afterwards.
        table: That table.
        is_under_prefect: Whether it runs against the Prefect server.
    """

    name: str
    words: tuple[str, ...]
    who: Who = "assay"
    source: Source = "demo"
    again: tuple[str, ...] = ()
    rows: int = FLIGHTS
    table: str = "public.flights"
    is_under_prefect: bool = False


STEADY = "tests.benchmarks.end_to_end.contestants.assay_warm"
LINE = "tests.benchmarks.end_to_end.contestants.straight_line"


def _steady(pipeline: str, name: str = "assay, steady", **more: object) -> Contestant:
    return Contestant(name, (STEADY, pipeline), again=(STEADY, pipeline, "--full-refresh"), **more)  # type: ignore[arg-type]


def _whole(pipeline: str, name: str, *words: str, **more: object) -> Contestant:
    command = ("flows.cli", "run", pipeline, "-q", *words)
    return Contestant(name, command, again=(*command, "--full-refresh"), **more)  # type: ignore[arg-type]


def _dlt(name: str, *words: str, source: Source = "demo") -> Contestant:
    return Contestant(name, words, who="peer", source=source, again=words, table="dlt_flights.flights")


FIRST = (
    Contestant("hand-written line", (LINE,), who="yardstick"),
    _steady("bench_flights"),
    _whole("bench_flights", "assay, without Prefect", "--no-prefect"),
    _whole("bench_flights", "assay, under Prefect", is_under_prefect=True),
    _dlt("dlt as it comes", "dlt_rest", "plain", "merge"),
    _dlt("dlt tuned", "dlt_rest", "tuned", "merge"),
)
SCENARIOS: Mapping[str, tuple[Contestant, ...]] = {
    "first": FIRST,
    "unchanged": FIRST,
    "latency": (
        Contestant("hand-written line", (LINE,), who="yardstick", source="flights_slow"),
        _steady("bench_distant", source="flights_slow"),
        _whole("bench_distant", "assay, under Prefect", source="flights_slow", is_under_prefect=True),
        _dlt("dlt tuned", "dlt_rest", "tuned", "merge", source="flights_slow"),
        _dlt("dlt tuned, deferred", "dlt_deferred", source="flights_slow"),
    ),
    "tenfold": (
        _steady("bench_flights", "assay, 336,776 rows", source="flights"),
        _steady("bench_flights", "assay, ten times the rows", source="tenfold", rows=10 * FLIGHTS),
    ),
    "narrow": (
        _whole(
            "bench_readings",
            "assay, 10 million narrow rows",
            "--no-prefect",
            source="readings",
            rows=9_999_900,
            table="public.readings",
        ),
    ),
    "small": (
        _whole(
            "bench_orders",
            "assay, under Prefect",
            source="orders",
            rows=99,
            table="public.orders",
            is_under_prefect=True,
        ),
        _whole(
            "bench_orders",
            "assay, without Prefect",
            "--no-prefect",
            source="orders",
            rows=99,
            table="public.orders",
        ),
    ),
}
