"""One run of the pipeline in a process of its own: the whole path, from the API to the report pages."""

import os
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from unittest import mock

import expectations.engine  # noqa: F401  what takes seconds to import is there before the fork
import tasks.publish.pages
import tasks.validate.gate  # noqa: F401
from flows.path import follow_path, plain_steps
from flows.run import run_pipeline
from flows.wiring import plain_ports
from tests.benchmarks.load.kills.moments import Moment, die, watch_for
from tests.benchmarks.load.kills.shelf import make_pipeline

BATCH = 500
"""Rows that go on together, few enough for several batches."""


@dataclass(frozen=True)
class Job:
    """What a run needs to know, and when it is to die."""

    disposition: str
    dsn: str
    home: Path
    base_url: str
    moment: Moment | None = None


def run(job: Job, pipe: Connection) -> None:
    """Run the pipeline, and say through the pipe when the moment's step is there.

    Great Expectations is loaded already, so validation needs no helper process.
    """
    os.environ |= {"ASSAY_HOME": str(job.home), "ASSAY_DATABASE_URL": job.dsn}
    pipeline = make_pipeline(job.disposition, job.base_url, job.home)
    with (
        mock.patch("tasks.helper._Child", side_effect=OSError("not wanted here")),
        mock.patch("tasks.extract.decoding.parts.PART_ROWS", BATCH),
        mock.patch("tasks.extract.decoding.records._CHUNK_ROWS", BATCH),
    ):
        if job.moment:
            arrived = die if job.moment.delay_s is None else lambda: pipe.send(job.moment)
            watch_for(job.moment.step, arrived)
        with plain_steps(threads=8) as steps:
            run_pipeline(pipeline, plain_ports(), lambda opened: follow_path(opened, steps))
