"""`kill -9` of whole runs, at every named step and at random moments, for every disposition.

    python -m tests.benchmarks.load.kills [--random 200] [--only-random] [--seed 1]
                                          [--log FILE] [--minutes M] [VARIANT …]

Each trial starts from a published load, kills a run of the next one, runs once more undisturbed, and compares
rows, reporting table, cursor and quarantine with what plain Python says. A reader looks all the while. The
named steps are killed once for each variant of a disposition; the random moments fall so many times on each
disposition, in equal shares on its variants. What is in the log is not tried again: after so many minutes the
trials stop, and the next call goes on.
"""

import argparse
import math
import multiprocessing
import random
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from tasks.load.embedded import start_postgres
from tests.benchmarks.load.kills.moments import NAMED, Moment, random_moment
from tests.benchmarks.load.kills.shelf import DISPOSITIONS, serve
from tests.benchmarks.load.kills.tally import Tally, Trial, count_random, disposition_of, print_tally
from tests.benchmarks.load.kills.trial import Bench


def main() -> int:
    """Run the trials and print what they found; exits 1 when anything is wrong, 3 when some are left."""
    chosen = parse()
    tally = Tally(chosen.log)
    deadline = time.monotonic() + chosen.minutes * 60
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.benchmarks.load.kills.child"])
    with tempfile.TemporaryDirectory(prefix="assay-kills-") as folder, serve() as api:
        dsn = start_without_fsync(Path(folder))
        benches = (Bench(variant, dsn, api, context) for variant in chosen.variants)
        is_left = any(not try_all(bench, chosen, tally, deadline) for bench in benches)
    print_tally(tally.trials)
    if any(trial.verdict.faults for trial in tally.trials):
        return 1
    return 3 if is_left else 0


def parse() -> argparse.Namespace:
    """What is asked for."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("variants", nargs="*", default=DISPOSITIONS, metavar="VARIANT")
    arguments.add_argument("--random", type=int, default=200)
    arguments.add_argument("--only-random", action="store_true")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--log", type=Path)
    arguments.add_argument("--minutes", type=float, default=math.inf)
    return arguments.parse_args()


def try_all(bench: Bench, chosen: argparse.Namespace, tally: Tally, deadline: float) -> bool:
    """Try what the log does not have yet; whether that was done before the deadline."""
    variant = bench.disposition
    tried = {trial.moment for trial in tally.of(variant)}
    named = [moment for moment in map(Moment, [] if chosen.only_random else NAMED) if moment not in tried]
    alike = [other for other in chosen.variants if disposition_of(other) == disposition_of(variant)]
    share = math.ceil(chosen.random / len(alike))
    if not named and count_random(tally.of(variant)) >= share:
        return True
    bench.prepare()
    lengths = ", ".join(f"{s:.2f} s after {step}" for step, s in bench.lengths.items())
    print(f"{variant}: undisturbed, {lengths}", flush=True)
    chance = random.Random(f"{chosen.seed} {variant} {len(tried)}")
    while named or count_random(tally.of(variant)) < share:
        if time.monotonic() > deadline:
            return False
        judge(bench, named.pop(0) if named else random_moment(bench.lengths, chance), tally)
    return True


def judge(bench: Bench, moment: Moment, tally: Tally) -> None:
    """One trial; what is wrong is printed at once."""
    verdict = bench.try_once(moment)
    for fault in verdict.faults:
        print(f"WRONG {bench.disposition}, killed {moment}: {fault}", flush=True)
    tally.add(Trial(bench.disposition, moment, verdict))


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
