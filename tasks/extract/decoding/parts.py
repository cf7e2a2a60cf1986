"""What an extraction leaves for the next step: typed Parquet parts, and the rejected records."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import polars as pl

from tasks.extract.decoding.columns import Columns
from tasks.extract.decoding.decoder import Rejected
from tasks.ports import Stream

PART_ROWS = 20_000
_FIRST = 1 / 8
"""Share of it that the first part has, each next one twice as much: what comes behind begins earlier."""
_REJECTED = pl.Schema(
    {
        "page": pl.Int64(),
        "index": pl.Int64(),
        "path": pl.String(),
        "message": pl.String(),
        "record": pl.String(),
    }
)


class Watch(Protocol):
    """Sees every part of the decoded records before it is written: the cursor's, for one."""

    def watch(self, frame: pl.DataFrame) -> None:
        """See some of them."""


class Parts:
    """Parquet parts `part-00001.parquet` … in a folder that is emptied first; memory holds one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        shutil.rmtree(folder, ignore_errors=True)

    def write(self, frame: pl.DataFrame) -> None:
        """Write the next part."""
        self._count += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        # Nobody filters by the statistics, which take a tenth of the time.
        frame.write_parquet(
            self.folder / f"part-{self._count:05}.parquet", compression="lz4", statistics=False
        )


class RecordParts:
    """Gathers chunks of records into parts of `PART_ROWS` rows or a chunk more, written or streamed on."""

    def __init__(self, folder: Path, columns: Columns, watch: Watch, stream: Stream | None = None) -> None:
        self.count = 0
        self.folder = folder
        self._parts = Parts(folder)
        self._columns = columns
        self._watch = watch
        self._stream = stream
        self._is_empty = True
        if stream:
            stream.begin()
        self._chunks: list[pl.DataFrame] = []
        self._share = _FIRST

    def add(self, chunk: pl.DataFrame) -> None:
        """Take some records."""
        self.count += chunk.height
        self._chunks.append(chunk)
        if sum(chunk.height for chunk in self._chunks) >= PART_ROWS * self._share:
            self._write()
            self._share = min(1.0, 2 * self._share)

    def close(self) -> None:
        """Write the rest; without any record, one part with zero rows and the columns."""
        if self._chunks or self._is_empty:
            self._write()

    def _write(self) -> None:
        frame = self._columns.join(self._chunks)
        self._chunks = []
        self._is_empty = False
        self._watch.watch(frame)
        if self._stream is None or self._stream.keeps_frames:
            self._parts.write(frame)
        if self._stream:
            self._stream.write(frame)


class RejectedParts:
    """Gathers rejected records, and leaves them as one Parquet file."""

    def __init__(self, file: Path) -> None:
        self.count = 0
        self.first = ""
        self._file = file
        self._parts = Parts(file.with_suffix(".parts"))
        self._rows: list[Rejected] = []
        file.unlink(missing_ok=True)

    def add(self, rows: Sequence[Rejected]) -> None:
        """Take those of a page."""
        if rows and not self.count:
            self.first = f"{rows[0].message} at {rows[0].path} of page {rows[0].page}"
        self.count += len(rows)
        self._rows.extend(rows)
        if len(self._rows) >= PART_ROWS:
            self._write()

    def close(self) -> str | None:
        """Write the file; its path, or None when there is nothing to write."""
        if self._rows:
            self._write()
        if self.count:
            pl.scan_parquet(self._parts.folder).sink_parquet(self._file)
        shutil.rmtree(self._parts.folder, ignore_errors=True)
        return str(self._file) if self.count else None

    def _write(self) -> None:
        rows, self._rows = self._rows, []
        self._parts.write(pl.DataFrame(list(map(msgspec.structs.asdict, rows)), schema=_REJECTED))
