"""Importing the engine is cheaper than importing GX, and leaves all as it was."""

from __future__ import annotations

import subprocess
import sys

from expectations.engine.gx_import import RARELY_USED

SAY = "print(gc.isenabled(), gc.get_freeze_count() > 100_000)"

VALIDATE = """
import sys
from expectations.engine import validate_frame
import great_expectations as gx, great_expectations.expectations as gxe, polars as pl
frame = pl.DataFrame({"n": [1, 2, 3], "text": ["a", "b", None]})
expectations = [
    gxe.ExpectColumnValuesToBeUnique(column="n"),
    gxe.ExpectColumnMeanToBeBetween(column="n", min_value=1, max_value=3),
    gxe.ExpectColumnQuantileValuesToBeBetween(
        column="n", quantile_ranges={"quantiles": [0.5], "value_ranges": [[2, 2]]}
    ),
    gxe.ExpectColumnValuesToMatchRegex(column="text", regex="^[ab]$"),
]
suite = gx.ExpectationSuite(name="usual", expectations=expectations)
assert validate_frame(frame, suite).success
print(sorted(set(sys.argv[1:]) & set(sys.modules)))

weights = {"values": ["a", "b"], "weights": [0.5, 0.5]}
divergence = gxe.ExpectColumnKLDivergenceToBeLessThan(column="text", partition_object=weights, threshold=0.1)
[result] = validate_frame(frame, gx.ExpectationSuite(name="rare", expectations=[divergence])).results
assert result.success, result
result.render()
print(sorted(set(sys.argv[1:]) & set(sys.modules)))
"""


def said_by(statements: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "error", "-c", statements, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def say_after(statements: str) -> str:
    return said_by(f"import gc; {statements}; {SAY}")


def test_what_gx_brings_is_kept_from_the_garbage_collector_which_goes_on() -> None:
    assert say_after("import expectations.engine") == "True True"


def test_a_garbage_collector_that_was_off_stays_off() -> None:
    assert say_after("gc.disable(); import expectations.engine") == "False True"


def test_what_few_expectations_need_is_loaded_by_the_first_of_them() -> None:
    assert said_by(VALIDATE, *RARELY_USED).splitlines() == ["[]", "['altair', 'jsonschema', 'scipy.stats']"]
