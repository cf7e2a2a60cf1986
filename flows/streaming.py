"""Streamable pipelines: while pages still arrive, their records are transformed, written and staged."""

import shutil
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

import polars as pl

from tasks.errors import ConfigurationError
from tasks.handover import Load, Transformed
from tasks.load.load import Target
from tasks.load.streaming import StagingStream
from tasks.pipeline import Pipeline, Resource, Table
from tasks.ports import Stream
from tasks.timings import part
from tasks.transform.transform import transform_batch

WAITING = 2
"""Batches that may wait for their turn, so that memory holds few of them."""


class ResourceStream:
    """Takes the records of one resource, batch by batch, to all its tables, on a thread of its own.

    What goes wrong there is raised by the next call, which is `check` while no records come. A table of a
    single batch is left for the stage step, so that small loads open no connection here.
    """

    def __init__(self, pipeline: Pipeline, resource: Resource, load: Load, target: Target) -> None:
        self.keeps_frames = any(
            each.parent is not None and each.parent.resource == resource.name for each in pipeline.resources
        )
        self._pipeline = pipeline
        self._resource = resource
        self._load = load
        self._target = target
        self._tables: dict[str, _TableStream] = {}
        self._waiting: deque[Future[None]] = deque()
        self._worker: ThreadPoolExecutor | None = None

    def begin(self) -> None:
        """Make room for records that come from the first one on."""
        self.close()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="stream")
        self._tables = {
            table.name: _TableStream(self._pipeline, table, self._load, self._target)
            for table in self._pipeline.tables
            if table.resource == self._resource.name
        }

    def write(self, frame: pl.DataFrame) -> None:
        """Take the next records, once there are not too many waiting.

        Raises:
            PipelineError: One of the earlier ones could not be transformed or staged.
        """
        assert self._worker is not None
        self.check()
        while len(self._waiting) >= WAITING:
            self._wait()
        # In the caller's context, so that what it takes is counted to its step.
        self._waiting.append(self._worker.submit(copy_context().run, self._take, frame))

    def check(self) -> None:
        """Raise what has gone wrong by now, which else the next part would meet, if one comes.

        Raises:
            PipelineError: As `write`.
        """
        while self._waiting and self._waiting[0].done():
            self._wait()
        for table in self._tables.values():
            table.check()

    def finish(self) -> tuple[Transformed, ...]:
        """The tables, when the last of them is transformed and staged.

        Raises:
            PipelineError: It could not be.
        """
        while self._waiting:
            self._wait()
        return tuple(table.finish() for table in self._tables.values())

    def close(self) -> None:
        """End it; of a batch that is under way no more is sent, those behind it are not taken."""
        for table in self._tables.values():
            table.stop()
        if self._worker is not None:
            self._worker.shutdown(cancel_futures=True)
        self._waiting.clear()
        for table in self._tables.values():
            table.close()

    @part("wait for the stream")
    def _wait(self) -> None:
        # One that has failed stays there, and is raised for whoever asks again.
        self._waiting[0].result()
        self._waiting.popleft()

    def _take(self, frame: pl.DataFrame) -> None:
        with part("transform"):
            made = transform_batch(self._pipeline, self._resource.name, frame)
        for name, rows in made.items():
            self._tables[name].take(rows)


class _TableStream:
    """One table's rows: each batch as a Parquet part, and from the second one on into staging."""

    def __init__(self, pipeline: Pipeline, table: Table, load: Load, target: Target) -> None:
        self._pipeline = pipeline
        self._table = table
        self._folder = Path(load.work, f"{table.name}.parts")
        self._staging = StagingStream(target, pipeline, table, load)
        self._schema: pl.Schema | None = None
        self._first: pl.DataFrame | None = None
        self._parts = self._rows = 0
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)

    def take(self, rows: pl.DataFrame) -> None:
        self._refuse_other_columns(rows.schema)
        self._parts += 1
        self._rows += rows.height
        with part("write"):
            file = self._folder / f"part-{self._parts:05}.parquet"
            rows.write_parquet(file, compression="lz4", statistics=False)
        if self._parts == 1:
            self._first = rows
            return
        if self._first is not None:
            self._staging.copy(self._first)
            self._first = None
        self._staging.copy(rows)

    def check(self) -> None:
        self._staging.check()

    def finish(self) -> Transformed:
        self._staging.finish()
        return Transformed(
            table=self._table.name,
            rows=str(self._folder),
            row_count=self._rows,
            is_staged=self._parts > 1,
        )

    def stop(self) -> None:
        self._staging.stop()

    def close(self) -> None:
        self._first = None
        self._staging.close()

    def _refuse_other_columns(self, schema: pl.Schema) -> None:
        self._schema = self._schema or schema
        if schema != self._schema:
            changed = sorted({name for name, _ in {*schema.items()} ^ {*self._schema.items()}})
            raise ConfigurationError(
                f"{self._pipeline.name}: {self._table.name}: the transform, which is given a part of the "
                f"records at a time (streamable=True), returns other columns for one part than for another: "
                f"{', '.join(changed)}. Cast them to one type, or drop streamable."
            )


def open_stream(pipeline: Pipeline, resource: Resource, load: Load, target: Target) -> Stream | None:
    """The stream of a resource; None where the pipeline is not streamable."""
    return ResourceStream(pipeline, resource, load, target) if pipeline.streamable else None
