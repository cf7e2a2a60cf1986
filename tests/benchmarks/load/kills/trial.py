"""One trial: kill a run, run again, and look at what is there."""

import itertools
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tasks.load import ledger
from tasks.load.connection import open_connection
from tasks.load.staging import prepare_staging
from tests.benchmarks.load.kills.child import Job, run
from tests.benchmarks.load.kills.moments import STAGING, START, Moment
from tests.benchmarks.load.kills.shelf import FIRST_LOAD, Api, expected_rows

PATIENCE_S = 120
LOADS = 3
"""Most loads of a trial: the one before, the one that is killed, and another if it was published by then."""
NOTHING: tuple[Any, ...] = (0,)
"""Before the first load there are no tables."""
ROWS = {
    "scd2_snapshots": "SELECT id, shelf, price, updated_at, valid_to IS NULL FROM items",
}
STATE = """
SELECT (SELECT count(*) FROM assay.publications),
       (SELECT count(*)::text || ' rows ' || md5(string_agg(t::text, '|' ORDER BY t::text)) FROM ({rows}) t),
       (SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM totals t),
       (SELECT string_agg(resource || ' ' || value, '|') FROM assay.cursors),
       (SELECT md5(string_agg(row::text || reasons::text, '|' ORDER BY row::text))
        FROM assay.quarantine WHERE closed_at IS NULL)
"""
State = tuple[Any, ...]
_numbers = itertools.count(1)


@dataclass
class Verdict:
    """What a trial found wrong, each as a line; and how the killed run stood."""

    was_published: bool = False
    was_killed: bool = False
    reads: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """All that is wrong."""
        return [*self.lost, *self.doubled, *self.torn, *self.other]


@dataclass
class Bench:
    """A disposition with the databases that its trials start from, and the states that are right.

    `states[n]` is all that a publication changes, after n loads; checked against plain Python.
    """

    disposition: str
    dsn: str
    api: Api
    context: ForkServerContext
    template: str = ""
    states: dict[int, State] = field(default_factory=dict)
    lengths: dict[str, float] = field(default_factory=dict)

    @property
    def _before(self) -> int:
        """Loads that are there before the one that is killed."""
        return 0 if self.disposition.endswith(FIRST_LOAD) else 1

    def prepare(self) -> None:
        """Load version 1, and keep the database; then two more loads undisturbed, to know what is right."""
        self.template = self._create(None)
        with open_connection(self._address(self.template)) as conn:
            ledger.migrate(conn)
            prepare_staging(conn)
        self.states[0] = NOTHING
        self.api.version = 1
        if self._before:
            self._load(self.template, 1)
        self.api.version = 1 + self._before
        with self._clone() as name:
            for loads in range(self._before + 1, LOADS + self._before):
                self._load(name, loads)
        with self._clone() as name, _home() as home:
            self.lengths = {step: self._measure(name, home, step) for step in (START, STAGING)}

    def _load(self, name: str, loads: int) -> None:
        with _home() as home:
            self._finish(self._job(name, home))
        self.states[loads] = self._check_state(name, loads)

    def try_once(self, moment: Moment) -> Verdict:
        """Kill a run at the moment, run again, and judge."""
        verdict = Verdict()
        self.api.version = 1 + self._before
        with self._clone() as name, _home() as home, self._reading(name) as seen:
            job = self._job(name, home)
            verdict.was_killed = self._kill(replace(job, moment=moment))
            published = self._read(name, "SELECT count(*) FROM assay.publications")
            verdict.was_published = published > self._before
            self._finish(job)
            self._judge(name, verdict)
        verdict.reads = seen.total()
        verdict.torn += [f"a reader saw {state}" for state in set(seen) - set(self.states.values())]
        return verdict

    def _judge(self, name: str, verdict: Verdict) -> None:
        state = self._state(name)
        loads = state[0]
        if loads != (expected := self._before + (2 if verdict.was_published else 1)):
            verdict.other.append(f"{loads} publications instead of {expected}")
        if state != self.states.get(loads):
            missing, extra = self._compare(name, loads)
            verdict.lost += [f"{missing} rows lost"] if missing else []
            verdict.doubled += [f"{extra} rows too many"] if extra else []
            verdict.other += [] if missing or extra else [f"{state} instead of {self.states.get(loads)}"]
        if left := self._read(name, "SELECT count(*) FROM pg_tables WHERE schemaname = 'assay_staging'"):
            verdict.other.append(f"{left} staging tables are left")
        if running := self._read(
            name, "SELECT count(*) FROM assay.attempts WHERE status = 'running' OR "
            "(status <> 'crashed' AND told_at IS NULL)"
        ):  # fmt: skip
            verdict.other.append(f"{running} attempts still run or are not told of")

    def _compare(self, name: str, loads: int) -> tuple[int, int]:
        rows, expected = self._rows(name), expected_rows(self.disposition, loads)
        return (expected - rows).total(), (rows - expected).total()

    def _check_state(self, name: str, loads: int) -> State:
        assert self._compare(name, loads) == (0, 0), f"{self.disposition}: not what Python says"
        totals = Counter(self._query(name, "SELECT shelf, items, price FROM totals"))
        counted = "SELECT shelf, count(*), sum(price) FROM items GROUP BY shelf"
        assert totals == Counter(self._query(name, counted))
        return self._state(name)

    def _rows(self, name: str) -> Counter[tuple[object, ...]]:
        return Counter(self._query(name, ROWS.get(self.disposition, "SELECT * FROM items")))

    def _state_query(self) -> bytes:
        return STATE.format(rows=ROWS.get(self.disposition, "SELECT * FROM items")).encode()

    def _state(self, name: str) -> State:
        # Times of loads differ from run to run, and with them nothing that counts.
        return self._query(name, self._state_query().decode())[0]

    def _query(self, name: str, query: str) -> list[State]:
        with psycopg.connect(self._address(name), autocommit=True) as conn:
            conn.execute("SET timezone = 'UTC'")
            return conn.execute(query.encode()).fetchall()

    def _read(self, name: str, query: str) -> Any:
        return self._query(name, query)[0][0]

    @contextmanager
    def _reading(self, name: str) -> Iterator[Counter[State]]:
        """Read all that a publication changes, each time in one snapshot, until the end."""
        seen: Counter[State] = Counter()
        done = threading.Event()

        def read() -> None:
            with psycopg.connect(self._address(name), autocommit=True) as conn:
                conn.execute("SET timezone = 'UTC'")
                while not done.is_set():
                    try:
                        seen.update(conn.execute(self._state_query()).fetchall())
                    except psycopg.errors.UndefinedTable:
                        # Once there, a table must stay.
                        seen[NOTHING if set(seen) <= {NOTHING} else ("gone",)] += 1
                    time.sleep(0.002)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield seen
        finally:
            done.set()
            reader.join()

    def _job(self, name: str, home: Path) -> Job:
        return Job(self.disposition, self._address(name), home, self.api.url)

    def _kill(self, job: Job) -> bool:
        """Whether the kill came before the end of the run."""
        assert job.moment is not None
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=run, args=(job, theirs))
        process.start()
        theirs.close()
        if job.moment.delay_s is not None:
            assert ours.poll(PATIENCE_S), f"{job.moment} never came"
            ours.recv()
            process.join(job.moment.delay_s)
            process.kill()
        process.join(PATIENCE_S)
        assert process.exitcode in {0, -9}, f"exit code {process.exitcode}"
        return process.exitcode == -9

    def _finish(self, job: Job) -> None:
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=run, args=(job, theirs))
        process.start()
        process.join(PATIENCE_S)
        ours.close()
        assert process.exitcode == 0, f"{self.disposition}: the run ends with {process.exitcode}"

    def _measure(self, name: str, home: Path, step: str) -> float:
        ours, theirs = self.context.Pipe()
        job = replace(self._job(name, home), moment=Moment(step, PATIENCE_S))
        process = self.context.Process(target=run, args=(job, theirs))
        process.start()
        assert ours.poll(PATIENCE_S)
        started = time.monotonic()
        process.join(PATIENCE_S)
        assert process.exitcode == 0
        return time.monotonic() - started

    @contextmanager
    def _clone(self) -> Iterator[str]:
        name = self._create(self.template)
        yield name
        self._drop(name)

    def _create(self, template: str | None) -> str:
        name = f"kills_{next(_numbers)}"
        origin = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(sql.SQL("CREATE DATABASE {}{}").format(sql.Identifier(name), origin))
        return name

    def _drop(self, name: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _address(self, name: str) -> str:
        return make_conninfo(self.dsn, dbname=name)


@contextmanager
def _home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="assay-kills-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
