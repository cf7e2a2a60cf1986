"""Print how each dialect is declared and extracted: `python -m tests.benchmarks.extract.dialects [RECORDS]`.

A table: dialect, lines of its declaration, whether all records arrived, in order and once, also with a
fault in every fifth answer, and how many requests a page took.
"""

import inspect
import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tasks.errors import PipelineError
from tasks.pipeline import Resource
from tests.integration.tasks.extract.dialects.declarations import DECLARED
from tests.integration.tasks.extract.dialects.paging import PAGING
from tests.integration.tasks.extract.dialects.running import extract, make_records, read_ids
from tests.integration.tasks.extract.dialects.server import DialectServer

RECORDS = 2_350
FAULTY_SHARE = 0.2


class Row(NamedTuple):
    """One dialect's line of the table."""

    dialect: str
    lines: int
    all_arrived: bool
    in_order: bool
    survived: bool
    pages: int
    requests: int


def main() -> int:
    """Print the table; 1 when a dialect fell short."""
    logging.basicConfig(level=logging.ERROR)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    rows = []
    with tempfile.TemporaryDirectory() as folder, DialectServer(PAGING, make_records(count)) as server:
        for name, declared in DECLARED.items():
            rows.append(try_dialect(server, name, declared, Path(folder) / name))
    print(f"{count:,} records; a fault in {FAULTY_SHARE:.0%} of the answers in the faulty run\n")
    print("| dialect | lines | all arrived | in order, once | faults survived | requests ÷ pages |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        marks = ["yes" if good else "NO" for good in (row.all_arrived, row.in_order, row.survived)]
        ratio = f"{row.requests} ÷ {row.pages} = {row.requests / row.pages:.2f}"
        print(f"| {row.dialect} | {row.lines} | {' | '.join(marks)} | {ratio} |")
    return 0 if all(row.all_arrived and row.in_order and row.survived for row in rows) else 1


def try_dialect(server: DialectServer, name: str, declared: Callable[[], Resource], folder: Path) -> Row:
    """Extract a dialect twice, without faults and with."""
    wanted = [record["id"] for record in server.records]
    server.asked.clear()
    clean = extract(server.url, declared(), folder / "clean")
    requests, found = len(server.asked), read_ids(clean)
    server.faulty_share = FAULTY_SHARE
    try:
        survived = read_ids(extract(server.url, declared(), folder / "faulty")) == wanted
    except PipelineError as exc:
        print(f"{name}: {exc}", file=sys.stderr)
        survived = False
    finally:
        server.faulty_share = 0.0
    return Row(
        name,
        count_lines(declared),
        set(found) == set(wanted),
        found == wanted,
        survived,
        clean.pages,
        requests,
    )


def count_lines(declared: Callable[[], Resource]) -> int:
    """The lines of a declaration, to its closing bracket, with the `name` and `record` that all share."""
    lines = inspect.getsource(declared).splitlines()
    return len(lines) - len(["@declared", "def …"]) + len(["name", "record"])


if __name__ == "__main__":
    sys.exit(main())
