"""`kill -9` of whole runs, at every named step and at random moments, for every disposition.

    python -m tests.benchmarks.load.kills [--random 200] [--only-random] [--seed 1] [DISPOSITION …]

Each trial starts from a published load, kills a run of the next one, runs once more undisturbed, and compares
rows, reporting table, cursor and quarantine with what plain Python says. A reader looks all the while. The
named steps are killed once for each disposition; the random moments are shared out among the dispositions.
"""

import argparse
import itertools
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psycopg

from tasks.load.embedded import start_postgres
from tests.benchmarks.load.kills.moments import NAMED, Moment, random_moment
from tests.benchmarks.load.kills.shelf import DISPOSITIONS, serve
from tests.benchmarks.load.kills.trial import Bench, Verdict


def main() -> int:
    """Run the trials and print what they found; exits 1 when anything is wrong."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("dispositions", nargs="*", default=DISPOSITIONS)
    arguments.add_argument("--random", type=int, default=200)
    arguments.add_argument("--only-random", action="store_true")
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.benchmarks.load.kills.child"])
    tally: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="assay-kills-") as folder, serve() as api:
        dsn = start_without_fsync(Path(folder))
        benches = [Bench(name, dsn, api, context) for name in chosen.dispositions]
        for bench in benches:
            bench.prepare()
            lengths = ", ".join(f"{s:.2f} s after {step}" for step, s in bench.lengths.items())
            print(f"{bench.disposition}: undisturbed, {lengths}", flush=True)
        chance = random.Random(chosen.seed)
        for bench in benches:
            for step in [] if chosen.only_random else NAMED:
                tally += judge(bench, Moment(step))
        for bench in itertools.cycle(benches):
            # A run that was faster than the moment was not killed, and does not count.
            if tally["killed at random"] >= chosen.random:
                break
            tally += judge(bench, random_moment(bench.lengths, chance))
    print_tally(tally)
    return 1 if tally["faults"] else 0


def judge(bench: Bench, moment: Moment) -> Counter[str]:
    """One trial, as counts; what is wrong is printed at once."""
    verdict = bench.try_once(moment)
    for fault in verdict.faults:
        print(f"WRONG {bench.disposition}, killed {moment}: {fault}", flush=True)
    kind = "at a named step" if moment.delay_s is None else "at random"
    return count(verdict) + Counter(
        {f"killed {kind}": verdict.was_killed, f"trials of {bench.disposition}": 1}
    )


def count(verdict: Verdict) -> Counter[str]:
    """A verdict as counts."""
    when = "after publication" if verdict.was_published else "before publication"
    return Counter(
        {
            "killed " + when if verdict.was_killed else "not killed, the run was faster": 1,
            "losses": len(verdict.lost),
            "duplicates": len(verdict.doubled),
            "torn reads": len(verdict.torn),
            "other faults": len(verdict.other),
            "faults": len(verdict.faults),
        }
    )


def print_tally(tally: Counter[str]) -> None:
    """One line a count, the zeros among them."""
    always = ("losses", "duplicates", "torn reads", "other faults")
    for name in sorted(set(tally) - {"faults", *always}):
        print(f"{name:<32} {tally[name]:5}")
    for name in always:
        print(f"{name:<32} {tally[name]:5}")


def start_without_fsync(folder: Path) -> str:
    """An embedded Postgres; processes are killed here, not machines."""
    dsn = start_postgres(folder)
    with psycopg.connect(dsn, autocommit=True) as conn:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            conn.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        conn.execute("SELECT pg_reload_conf()")
    return dsn


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"{time.monotonic() - started:.0f} s")
    sys.exit(code)
