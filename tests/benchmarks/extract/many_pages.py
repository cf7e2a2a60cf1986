"""100,000 pages of 10 records: `python -m tests.benchmarks.extract.many_pages [PAGES [DIALECT …]]`.

By number with totals, and by cursor. The server runs in a process of its own. Memory is the resident set of
the extracting process, printed ten times on the way: flat means that the last is like the third.
"""

import multiprocessing
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

from tests.benchmarks.extract.latency import serve
from tests.integration.tasks.extract.dialects.declarations import DECLARED
from tests.integration.tasks.extract.dialects.running import extract

PAGES, SIZE = 100_000, 10
DIALECTS = ("world_bank", "slack")


def main() -> None:
    """Print a line a dialect."""
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else PAGES
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(there, pages * SIZE // 100, 0.0), daemon=True
    )
    process.start()
    url = here.recv()
    for dialect in sys.argv[2:] or DIALECTS:
        declared = DECLARED[dialect]()
        paginator = declared.paginator.model_copy(update={"page_size": SIZE})  # type: ignore[union-attr]
        resource = declared.model_copy(update={"paginator": paginator})
        with tempfile.TemporaryDirectory() as folder, Watching() as watching:
            began = time.perf_counter()
            extracted = extract(url, resource, Path(folder), connections=4)
            seconds = time.perf_counter() - began
            landed = (Path(folder) / "landing").rglob("*")
            sizes = [file.stat().st_size for file in landed if file.is_file()]
        print(
            f"{dialect}: {extracted.pages:,} pages, {extracted.received:,} records, {seconds:.0f} s, "
            f"{extracted.pages / seconds:,.0f} pages a second; landing zone {len(sizes)} files, "
            f"{sum(sizes) / 1e6:.1f} MB; memory in MB: {', '.join(f'{each:.0f}' for each in watching.ten())}",
            flush=True,
        )
    process.kill()


class Watching:
    """Notes the resident set of this process twice a second."""

    def __init__(self) -> None:
        self._seen: list[float] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def ten(self) -> list[float]:
        """Ten of the values, evenly spread."""
        return [self._seen[i * (len(self._seen) - 1) // 9] for i in range(10)] if self._seen else []

    def _watch(self) -> None:
        pages = Path(f"/proc/{os.getpid()}/statm")
        while not self._done.wait(0.5):
            self._seen.append(int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)


if __name__ == "__main__":
    main()
